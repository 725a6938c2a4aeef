/** Which resized mask values lie above a threshold. */
import type { DataType } from '../tensor.js';
import { planResized, type Resized, type ResizedSpec } from './resized.js';

export interface ThresholdSpec extends ResizedSpec {
  /** The masks to make, of every image. */
  readonly keep: readonly number[];
  /** Per mask of the result, [first row, first column, end row, end column]; outside it is 0. */
  readonly boxes: readonly (readonly number[])[] | undefined;
  readonly threshold: number;
  readonly bits: boolean;
}

/**
 * out(p, o) = value(source[p], o) > threshold inside box p, else 0; see Resized. Rows of bits are padded to whole bytes, the
 * first column stands in the highest bit.
 */
export interface InterpolateThresholdPlan {
  readonly op: 'interpolateThreshold';
  readonly type: DataType;
  readonly resized: Resized;
  /** Per mask of the result, image · masks of an image + mask. */
  readonly source: Int32Array;
  /** Four numbers per mask of the result. */
  readonly boxes: Int32Array;
  readonly threshold: number;
  readonly bits: boolean;
  readonly outDims: readonly number[];
}

export function planInterpolateThreshold(spec: ThresholdSpec): InterpolateThresholdPlan {
  const resized = planResized(spec);
  const { keep, threshold, bits } = spec;
  const masks = resized.channels * resized.inner;
  const planes = resized.batch * keep.length;
  const source = Int32Array.from(
    { length: planes },
    (_, p) => Math.floor(p / keep.length) * masks + keep[p % keep.length]!,
  );
  const sizes = resized.axes.map((a) => a.outSize);
  const [height, width] = sizes as [number, number];
  const whole = [0, 0, height, width];
  const boxes = Int32Array.from({ length: planes * 4 }, (_, i) => (spec.boxes?.[i >> 2] ?? whole)[i & 3]!);
  const outDims = [resized.batch, keep.length, height, bits ? Math.ceil(width / 8) : width];
  return { op: 'interpolateThreshold', type: spec.type, resized, source, boxes, threshold, bits, outDims };
}
