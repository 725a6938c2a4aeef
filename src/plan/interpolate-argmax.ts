/** The class with the largest resized logit at every output pixel. */
import type { DataType } from '../tensor.js';
import { planResized, type Resized, type ResizedSpec } from './resized.js';

export interface ArgmaxSpec extends ResizedSpec {
  readonly classType: DataType;
  readonly scores: 'none' | 'logit' | 'softmax';
  readonly margin: boolean;
  readonly threshold: number | undefined;
  readonly background: number;
}

/**
 * class(n, o) = the first c with the largest value(n, c, o); see Resized. NaNs are passed over; where there is nothing else,
 * or where the score is not at least `threshold`, the class is `background`.
 * Outputs: classes, then scores and margins if they are asked for.
 */
export interface InterpolateArgmaxPlan {
  readonly op: 'interpolateArgmax';
  readonly type: DataType;
  readonly resized: Resized;
  readonly classes: number;
  readonly classType: DataType;
  readonly scores: 'none' | 'logit' | 'softmax';
  readonly margin: boolean;
  readonly threshold: number | undefined;
  readonly background: number;
  /** Dims of every output: batch and spatial extents. */
  readonly outDims: readonly number[];
}

export function planInterpolateArgmax(spec: ArgmaxSpec): InterpolateArgmaxPlan {
  const resized = planResized(spec);
  const { classType, scores, margin, threshold, background } = spec;
  return {
    op: 'interpolateArgmax',
    type: spec.type,
    resized,
    classes: resized.channels * resized.inner,
    classType,
    scores,
    margin,
    threshold,
    background,
    outDims: [resized.batch, ...resized.axes.map((a) => a.outSize)],
  };
}
