/** The definition: pixel shuffle with its two sides exchanged. */
import type { BlockPlan } from '../plan/pixel-shuffle.js';
import type { TypedArray } from '../tensor.js';
import { positions } from './pixel-shuffle.js';

export function pixelUnshuffle(
  plan: BlockPlan,
  [large]: readonly TypedArray[],
  [small]: readonly TypedArray[],
): void {
  for (const { at, from } of positions(plan)) small![from] = large![at]!;
}
