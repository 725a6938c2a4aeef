/** Every operator under test. The generic tests need no other edit for a new one. */
import type { Operator } from '../support/operator.js';
import depthToSpace from './depth-to-space.js';
import interpolate from './interpolate.js';
import interpolateArgmax from './interpolate-argmax.js';
import pixelShuffle from './pixel-shuffle.js';
import pixelUnshuffle from './pixel-unshuffle.js';
import resize from './resize.js';
import spaceToDepth from './space-to-depth.js';
import upsample from './upsample.js';

export const operators: readonly Operator[] = [
  interpolate,
  interpolateArgmax,
  pixelShuffle,
  pixelUnshuffle,
  resize,
  upsample,
  depthToSpace,
  spaceToDepth,
] as unknown as Operator[];
