/** The reference backend: slow, exact, and in another form than the kernels. */
import type { Backend } from '../backend.js';
import { avgPool2d } from './avg-pool2d.js';
import { convTranspose2d } from './conv-transpose2d.js';
import { conv2d } from './conv2d.js';
import { gridSample } from './grid-sample.js';
import { interpolate } from './interpolate.js';
import { interpolateArgmax } from './interpolate-argmax.js';
import { interpolateQuantize } from './interpolate-quantize.js';
import { interpolateSoftmax } from './interpolate-softmax.js';
import { interpolateThreshold } from './interpolate-threshold.js';
import { maskRuns } from './mask-runs.js';
import { maxPool2d } from './max-pool2d.js';
import { maxUnpool2d } from './max-unpool2d.js';
import { pixelShuffle } from './pixel-shuffle.js';
import { pixelUnshuffle } from './pixel-unshuffle.js';
import { resizeConv2d } from './resize-conv2d.js';

export const reference: Backend = {
  avgPool2d,
  gridSample,
  conv2d,
  resizeConv2d,
  convTranspose2d,
  interpolate,
  maxPool2d,
  maxUnpool2d,
  pixelShuffle,
  pixelUnshuffle,
  interpolateArgmax,
  interpolateQuantize,
  interpolateSoftmax,
  interpolateThreshold,
  maskRuns,
};
