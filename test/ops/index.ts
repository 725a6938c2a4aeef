/** Every operator under test. The generic tests need no other edit for a new one. */
import type { Operator } from '../support/operator.js';
import interpolate from './interpolate.js';
import pixelShuffle from './pixel-shuffle.js';
import pixelUnshuffle from './pixel-unshuffle.js';

export const operators: readonly Operator[] = [
  interpolate,
  pixelShuffle,
  pixelUnshuffle,
] as unknown as Operator[];
