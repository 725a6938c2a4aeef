/** What `interpolate` would have returned, one element at a time. */

import type { Resized } from '../plan/resized.js';
import type { TypedArray } from '../tensor.js';
import { fromHalf, reader, roundHalfEven, toHalf } from './elements.js';
import { tapsOfPixel } from './interpolate.js';

/** The values of all channels at output pixel `pixel` of image `n`, rounded to the element type. */
export function resizedPixels(r: Resized, input: TypedArray): (n: number, pixel: number) => number[] {
  const read = reader(r.type, input);
  const round = rounder(r.type);
  const inPixels = r.axes.reduce((p, a) => p * a.inSize, 1);
  return (n, pixel) => {
    const taps = tapsOfPixel(r.axes, pixel);
    return Array.from({ length: r.channels * r.inner }, (_, channel) => {
      const plane = (n * r.channels + Math.floor(channel / r.inner)) * inPixels;
      const at = (offset: number) => (plane + offset) * r.inner + (channel % r.inner);
      return round(taps.reduce((sum, tap) => sum + tap.weight * read(at(tap.offset)), 0));
    });
  };
}

function rounder(type: string): (v: number) => number {
  switch (type) {
    case 'float16':
      return (v) => fromHalf(toHalf(Math.fround(v)));
    case 'uint8':
      return (v) => Math.min(Math.max(roundHalfEven(Math.fround(v)), 0), 255);
    case 'int8':
      return (v) => Math.min(Math.max(roundHalfEven(Math.fround(v)), -128), 127);
    case 'float32':
      return Math.fround;
    default:
      return (v) => v;
  }
}
