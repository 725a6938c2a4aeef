/** Resized values as 8- or 16-bit levels. */
import type { DataType } from '../tensor.js';
import { planResized, type Resized, type ResizedSpec } from './resized.js';

export interface QuantizeSpec extends ResizedSpec {
  readonly to: 'uint8' | 'uint16';
  readonly range: 'given' | 'minmax' | 'percentile';
  readonly low: number;
  readonly high: number;
}

/**
 * out = round((value - lo) · top / (hi - lo)), clamped to 0 … top, ties to even; see Resized. NaN is 0, and so is everything
 * where hi is not above lo. Each image has its own range: [low, high] itself, the least and the largest finite resized
 * value, or the percentiles `low` and `high` of the finite values of its input.
 */
export interface InterpolateQuantizePlan {
  readonly op: 'interpolateQuantize';
  readonly type: DataType;
  readonly resized: Resized;
  readonly to: 'uint8' | 'uint16';
  readonly range: 'given' | 'minmax' | 'percentile';
  readonly low: number;
  readonly high: number;
  readonly outDims: readonly number[];
}

export function planInterpolateQuantize(spec: QuantizeSpec): InterpolateQuantizePlan {
  const resized = planResized(spec);
  const { to, range, low, high, type } = spec;
  return {
    op: 'interpolateQuantize',
    type,
    resized,
    to,
    range,
    low,
    high,
    outDims: resizedDims(resized, spec.layout),
  };
}

/** Dims of a result that keeps the channels. */
export function resizedDims(r: Resized, layout: 'nchw' | 'nhwc'): number[] {
  const sizes = r.axes.map((a) => a.outSize);
  return layout === 'nchw' ? [r.batch, r.channels, ...sizes] : [r.batch, ...sizes, r.inner];
}
