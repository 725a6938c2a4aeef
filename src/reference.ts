/** The root functions on the reference backend: float64, slow, for checking and for teaching. Synchronous inside. */
import { type Call, runOn } from './execute.js';
import { reference } from './reference/index.js';
import { describeInterpolate } from './torch/interpolate.js';
import { describeInterpolateArgmax } from './torch/interpolate-argmax.js';
import { describePixelShuffle } from './torch/pixel-shuffle.js';
import { describePixelUnshuffle } from './torch/pixel-unshuffle.js';

function onReference<A extends unknown[], R>(describe: (...args: A) => Call<R>) {
  return {
    now: (...args: A): R => runOn(reference, describe(...args)),
    later: async (...args: A): Promise<R> => runOn(reference, describe(...args)),
  };
}

export const { later: interpolate, now: interpolateSync } = onReference(describeInterpolate);
export const { later: pixelShuffle, now: pixelShuffleSync } = onReference(describePixelShuffle);
export const { later: pixelUnshuffle, now: pixelUnshuffleSync } = onReference(describePixelUnshuffle);
export const { later: interpolateArgmax, now: interpolateArgmaxSync } =
  onReference(describeInterpolateArgmax);
