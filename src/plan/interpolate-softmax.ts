/** Class probabilities at every output pixel. */
import type { DataType } from '../tensor.js';
import { resizedDims } from './interpolate-quantize.js';
import { planResized, type Resized, type ResizedSpec } from './resized.js';

/**
 * out(n, c, o) = exp(value(n, c, o)) / Σ_k exp(value(n, k, o)); see Resized. NaN values are left out of the sum and stay NaN.
 */
export interface InterpolateSoftmaxPlan {
  readonly op: 'interpolateSoftmax';
  readonly type: DataType;
  readonly resized: Resized;
  readonly outDims: readonly number[];
}

export function planInterpolateSoftmax(spec: ResizedSpec): InterpolateSoftmaxPlan {
  const resized = planResized(spec);
  return { op: 'interpolateSoftmax', type: spec.type, resized, outDims: resizedDims(resized, spec.layout) };
}
