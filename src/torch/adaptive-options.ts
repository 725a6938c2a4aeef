/** The output extents of adaptive pools, checked and turned into windows. */
import { knownOptions, positivePerAxis } from '../check.js';
import { mustBe } from '../errors.js';
import { adaptiveAxis, spatialDims, type WindowAxis } from '../plan/window.js';
import type { Layout } from '../tensor.js';
import { layoutOf, spatialSizes } from './window-options.js';

export interface AdaptiveSizes {
  /** Output extents: a number, or one per spatial axis; null keeps the extent of the input. */
  readonly outputSize: number | null | readonly (number | null)[];
}

export const ADAPTIVE_OPTIONS = ['outputSize', 'layout', 'out', 'threads', 'signal'] as const;

export function adaptiveSizes(
  op: string,
  dims: readonly number[],
  layout: Layout,
  n: number,
  outputSize: unknown,
): { readonly from: readonly number[]; readonly to: number[] } {
  const from = spatialSizes(op, dims, layout, n);
  if (outputSize === null) return { from, to: from.slice() };
  if (!Array.isArray(outputSize)) return { from, to: positivePerAxis(op, 'outputSize', outputSize, n) };
  if (outputSize.length !== n)
    mustBe(op, 'outputSize', `a positive integer or ${n} of them (or null)`, outputSize);
  const to = positivePerAxis(
    op,
    'outputSize',
    outputSize.map((d: unknown, i) => (d === null ? from[i] : d)),
    n,
  );
  return { from, to };
}

export function adaptiveAxesOf(
  op: string,
  dims: readonly number[],
  layout: Layout,
  n: number,
  outputSize: unknown,
): WindowAxis[] {
  const { from, to } = adaptiveSizes(op, dims, layout, n, outputSize);
  return from.map((d, i) => adaptiveAxis(d, to[i]!));
}

/** The dims that an adaptive pool would return; shared with outputDims. */
export function adaptiveDims(
  op: string,
  n: 1 | 2 | 3,
  dims: readonly number[],
  o: AdaptiveSizes & { readonly layout?: Layout | undefined },
): number[] {
  knownOptions(op, o, ADAPTIVE_OPTIONS);
  const layout = layoutOf(op, o?.layout);
  const { to } = adaptiveSizes(op, dims, layout, n, o?.outputSize);
  return spatialDims(dims, layout, n).withSpatial(to);
}
