/** Every operator under test. The generic tests need no other edit for a new one. */
import type { Operator } from '../support/operator.js';
import adaptiveAvgPool2d from './adaptive-avg-pool2d.js';
import adaptiveMaxPool2d from './adaptive-max-pool2d.js';
import averagePool from './average-pool.js';
import avgPool2d from './avg-pool2d.js';
import conv from './conv.js';
import convTranspose from './conv-transpose.js';
import convTranspose2d from './conv-transpose2d.js';
import conv2d from './conv2d.js';
import depthToSpace from './depth-to-space.js';
import gridSample from './grid-sample.js';
import interpolate from './interpolate.js';
import interpolateArgmax from './interpolate-argmax.js';
import interpolateQuantize from './interpolate-quantize.js';
import interpolateSoftmax from './interpolate-softmax.js';
import interpolateThreshold from './interpolate-threshold.js';
import maskRuns from './mask-runs.js';
import maxPool from './max-pool.js';
import maxPool2d from './max-pool2d.js';
import maxPool2dWithIndices from './max-pool2d-with-indices.js';
import maxUnpool from './max-unpool.js';
import maxUnpool2d from './max-unpool2d.js';
import pixelShuffle from './pixel-shuffle.js';
import pixelUnshuffle from './pixel-unshuffle.js';
import resize from './resize.js';
import resizeConv2d from './resize-conv2d.js';
import spaceToDepth from './space-to-depth.js';
import upsample from './upsample.js';

export const operators: readonly Operator[] = [
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  gridSample,
  conv2d,
  resizeConv2d,
  convTranspose2d,
  interpolate,
  interpolateArgmax,
  interpolateQuantize,
  interpolateSoftmax,
  interpolateThreshold,
  maskRuns,
  maxPool2d,
  maxPool2dWithIndices,
  maxUnpool2d,
  pixelShuffle,
  pixelUnshuffle,
  resize,
  upsample,
  depthToSpace,
  spaceToDepth,
  averagePool,
  conv,
  convTranspose,
  maxPool,
  maxUnpool,
] as unknown as Operator[];
