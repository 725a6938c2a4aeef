/** The reference backend: slow, exact, and in another form than the kernels. */
import type { Backend } from '../backend.js';
import { interpolate } from './interpolate.js';
import { interpolateArgmax } from './interpolate-argmax.js';
import { pixelShuffle } from './pixel-shuffle.js';
import { pixelUnshuffle } from './pixel-unshuffle.js';

export const reference: Backend = {
  interpolate,
  pixelShuffle,
  pixelUnshuffle,
  interpolateArgmax,
};
