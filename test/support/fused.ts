/** What the fused operators must equal: the same reduction over what `interpolate` would have written, NaNs and ties included. */

import { native } from '../../src/native/backend.js';
import type { InterpolatePlan } from '../../src/plan/interpolate.js';
import type { Resized } from '../../src/plan/resized.js';
import { resizedPixels } from '../../src/reference/resized.js';
import { allocate, type TypedArray } from '../../src/tensor.js';
import { numbers } from './compare.js';

/** The values that native `interpolate` writes for the same resize, [batch][pixel][channel]. Not for a resize with a region of interest. */
export function interpolated(r: Resized, input: TypedArray): (n: number, pixel: number) => number[] {
  const pixels = r.axes.reduce((p, a) => p * a.outSize, 1);
  const outer = r.batch * r.channels;
  const plan: InterpolatePlan = {
    op: 'interpolate',
    type: r.type,
    moves: false,
    outer,
    axes: r.axes,
    inner: r.inner,
    outDims: [],
  };
  const out = allocate('test', r.type, [outer * pixels * r.inner]).data;
  native(1).interpolate(plan, [input], [out]);
  const values = numbers(r.type, out);
  return (n, pixel) =>
    Array.from({ length: r.channels * r.inner }, (_, c) => {
      const plane = n * r.channels + Math.floor(c / r.inner);
      return values[(plane * pixels + pixel) * r.inner + (c % r.inner)]!;
    });
}

/** How far a float32 (or float64) resize may be from the exact value, per pixel: the bound of DESIGN.md with room for one rounding to the type. */
export function resizeBound(r: Resized, input: TypedArray): (n: number, pixel: number) => number[] {
  const wide = numbers(r.type, input).map((v) => (Number.isFinite(v) ? Math.abs(v) : 0));
  const axes = r.axes.map((a) => ({ ...a, weight: a.weight.map(Math.abs) as Float32Array }));
  const magnitude = resizedPixels({ ...r, type: 'float64', axes }, wide);
  const products = r.axes.reduce((n, a) => n + a.taps, 1);
  const unit = r.type === 'float64' ? 2 ** -53 : 2 ** -24;
  const step = r.type === 'float16' ? 2 ** -10 : r.type === 'uint8' || r.type === 'int8' ? 1.01 : 0;
  return (n, pixel) =>
    magnitude(n, pixel).map(
      (m) => (products + 3) * unit * m + (r.type === 'float16' ? step * m + 2 ** -24 : step),
    );
}

/** False for a region of interest: native `interpolate` has none to compare with. */
export const isWhole = (r: Resized): boolean => r.axes.every((a, i) => a.outSize === r.wholeSizes[i]);
