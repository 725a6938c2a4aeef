/** Resize and compare in one pass: the masks of an instance segmentation, without the resized logits. */
import { finite, flag, knownOptions, oneOf } from '../check.js';
import { mustBe, refuse } from '../errors.js';
import { type AsyncOptions, type Call, firstOf, type RunOptions, run, runSync } from '../execute.js';
import { planned } from '../plan/cache.js';
import { type InterpolateThresholdPlan, planInterpolateThreshold } from '../plan/interpolate-threshold.js';
import { asTensor, type Tensor, type TensorLike } from '../tensor.js';
import { INTERPOLATE_OPTIONS, type Shape } from './interpolate.js';
import { describeRunCounts, describeRuns, type MaskRle, rleOf } from './mask-runs.js';
import {
  type FusedResizeOptions,
  perImage,
  perImageSync,
  resizedSpec,
  type Targets,
  WINDOW_OPTIONS,
} from './resized.js';

export interface InterpolateThresholdOptions extends FusedResizeOptions {
  /** A pixel is set where its value is above it. Default 0, with `sigmoid` 0.5. */
  readonly threshold?: number | undefined;
  /** The threshold is a probability: values are logits and compared with ln(t / (1 - t)). Default false. */
  readonly sigmoid?: boolean | undefined;
  /** The masks to make, by their place in the channel axis; the others cost nothing. Default all. */
  readonly keep?: readonly number[] | undefined;
  /** Per mask of the result (image by image), [y0, x0, y1, x1] in output pixels: pixels y0 <= y < y1, x0 <= x < x1; outside is 0. */
  readonly boxes?: readonly (readonly number[])[] | undefined;
  /** 'bytes': a uint8 0 or 1 per pixel. 'bits': eight pixels per byte, the first in the highest bit, rows padded. Default 'bytes'. */
  readonly pack?: 'bytes' | 'bits' | undefined;
  /** true or 'string': run lengths in COCO's format instead of masks, as numbers or as COCO's compressed string. */
  readonly rle?: boolean | 'string' | undefined;
  /** Write the masks here (not with `rle`). */
  readonly out?: TensorLike | undefined;
}

const OPTIONS = [
  ...INTERPOLATE_OPTIONS,
  ...WINDOW_OPTIONS,
  'threshold',
  'sigmoid',
  'keep',
  'boxes',
  'pack',
  'rle',
];

/** The checked plan of a call. */
export function interpolateThresholdPlan(
  op: string,
  x: Shape,
  options: InterpolateThresholdOptions,
): InterpolateThresholdPlan {
  knownOptions(op, options, OPTIONS);
  const o = options ?? {};
  const spec = resizedSpec(op, x, o);
  if (spec.axes.length !== 2)
    refuse(
      op,
      'input.dims',
      `input must have 4 dimensions, got [${x.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const [channels, first] = spec.layout === 'nchw' ? [x.dims[1]!, 2] : [x.dims[3]!, 1];
  const sigmoid = flag(op, 'sigmoid', o.sigmoid, false);
  const threshold = o.threshold === undefined ? (sigmoid ? 0.5 : 0) : finite(op, 'threshold', o.threshold);
  if (sigmoid && !(threshold > 0 && threshold < 1))
    mustBe(op, 'threshold', 'between 0 and 1 with sigmoid', threshold);
  const keep = o.keep ?? Array.from({ length: channels }, (_, i) => i);
  if (
    !Array.isArray(keep) ||
    keep.length === 0 ||
    !keep.every((k) => Number.isInteger(k) && k >= 0 && k < channels)
  )
    mustBe(op, 'keep', `a list of at least one mask from 0 to ${channels - 1}`, o.keep);
  const sizes = spec.axes.map((a, i) => spec.roi?.[i]?.[1] ?? a?.outSize ?? x.dims[first + i]!);
  const [height, width] = sizes.map((s, i) => s - (spec.roi?.[i]?.[0] ?? 0)) as [number, number];
  const planes = x.dims[0]! * keep.length;
  if (o.boxes !== undefined && (!Array.isArray(o.boxes) || o.boxes.length !== planes))
    mustBe(op, 'boxes', `a list of ${planes} boxes, one per mask of the result`, o.boxes);
  const boxes = o.boxes?.map((box, i) => {
    const ok =
      Array.isArray(box) &&
      box.length === 4 &&
      box.every((v) => Number.isFinite(v)) &&
      box[0] >= 0 &&
      box[1] >= 0 &&
      box[0] <= box[2] &&
      box[1] <= box[3] &&
      box[2] <= height &&
      box[3] <= width;
    if (!ok) mustBe(op, `boxes[${i}]`, `[y0, x0, y1, x1] inside the output of [${height}, ${width}]`, box);
    return box.map(Math.ceil);
  });
  const bits = oneOf(op, 'pack', o.pack ?? 'bytes', ['bytes', 'bits'] as const) === 'bits';
  return planInterpolateThreshold({
    ...spec,
    keep,
    boxes,
    threshold: sigmoid ? Math.log(threshold / (1 - threshold)) : threshold,
    bits,
  });
}

export function describeInterpolateThreshold(
  masks: TensorLike,
  options: InterpolateThresholdOptions & AsyncOptions,
): Call<Tensor, 'interpolateThreshold'> {
  const op = 'interpolateThreshold';
  if (wantsRuns(options))
    refuse(op, 'rle', 'rle must be left out here, it is for interpolateThreshold of the package root');
  const x = asTensor(op, 'input', masks);
  const plan = planned(op, [x], options, () => interpolateThresholdPlan(op, x, options));
  return {
    op,
    kernel: 'interpolateThreshold',
    plan,
    inputs: [x.data],
    outputs: [{ param: 'out', type: 'uint8', dims: plan.outDims, out: options.out }],
    options,
    finish: firstOf,
  };
}

/** The options of the pass that makes the bits that run lengths are counted from. */
function bitsFor<O extends InterpolateThresholdOptions>(options: O): O {
  const op = 'interpolateThreshold';
  if (options.rle !== true) oneOf(op, 'rle', options.rle, ['string'] as const);
  if (options.out !== undefined)
    refuse(op, 'out', 'out must be left out with rle, whose length only the data decides');
  if (options.pack !== undefined) refuse(op, 'pack', 'pack must be left out with rle');
  return { ...options, rle: undefined, pack: 'bits' };
}

const wantsRuns = (o: InterpolateThresholdOptions | undefined) => o?.rle !== undefined && o.rle !== false;

/** The width of masks that rows of bits no longer tell. */
const widthOf = (plan: InterpolateThresholdPlan) => plan.resized.axes[1]!.outSize;

/**
 * out[n, k, y, x] = 1 where resize(masks)[n, keep[k], y, x] > threshold (and inside its box), else 0, where resize is
 * `interpolate` with the same options, bit for bit; nothing else is resized or stored.
 *
 * Masks (N, C, H, W), or (N, H, W, C) with `layout: 'nhwc'`, float32, float64, float16, uint8 or int8 → uint8 (N, K, OH, OW) in
 * either layout, each mask a picture of its own, or with `pack: 'bits'` (N, K, OH, ceil(OW / 8)). With `rle` the result is a list
 * per image of { size: [height, width], counts } per mask, in COCO's format (down the columns, zeros first). With `targets`, one
 * { size, crop, … } per image, it is a list of results without the batch axis. NaN is not above anything.
 *
 * Throws ArgumentError for what interpolate refuses, no mask to keep, and windows or boxes outside.
 * Source: torch.nn.functional.interpolate(…) > threshold, PyTorch 2.13; pycocotools mask format, 2.0.
 */
export function interpolateThreshold(
  masks: TensorLike,
  options: InterpolateThresholdOptions & { readonly rle: true | 'string' } & AsyncOptions,
): Promise<MaskRle[][]>;
export function interpolateThreshold(
  masks: TensorLike,
  options: Targets<InterpolateThresholdOptions> & AsyncOptions,
): Promise<Tensor[]>;
export function interpolateThreshold(
  masks: TensorLike,
  options: InterpolateThresholdOptions & AsyncOptions,
): Promise<Tensor>;
export async function interpolateThreshold(
  masks: TensorLike,
  options: (InterpolateThresholdOptions | Targets<InterpolateThresholdOptions>) & AsyncOptions,
): Promise<Tensor | Tensor[] | MaskRle[][]> {
  const op = 'interpolateThreshold';
  if ('targets' in (options ?? {}))
    return perImage(op, masks, options as Targets<InterpolateThresholdOptions>, interpolateThreshold);
  const o = options as InterpolateThresholdOptions & AsyncOptions;
  if (!wantsRuns(o)) return run(() => describeInterpolateThreshold(masks, o));
  const first = describeInterpolateThreshold(masks, bitsFor(o));
  const bits = await run(() => first);
  const counts = await run(() => describeRunCounts(bits, widthOf(first.plan), o));
  const runs = await run(() => describeRuns(bits, widthOf(first.plan), counts, o));
  return rleOf(bits.dims, widthOf(first.plan), counts, runs, o.rle === 'string');
}

/** `interpolateThreshold`, computed before it returns. */
export function interpolateThresholdSync(
  masks: TensorLike,
  options: InterpolateThresholdOptions & { readonly rle: true | 'string' } & RunOptions,
): MaskRle[][];
export function interpolateThresholdSync(
  masks: TensorLike,
  options: Targets<InterpolateThresholdOptions> & RunOptions,
): Tensor[];
export function interpolateThresholdSync(
  masks: TensorLike,
  options: InterpolateThresholdOptions & RunOptions,
): Tensor;
export function interpolateThresholdSync(
  masks: TensorLike,
  options: (InterpolateThresholdOptions | Targets<InterpolateThresholdOptions>) & RunOptions,
): Tensor | Tensor[] | MaskRle[][] {
  const op = 'interpolateThreshold';
  if ('targets' in (options ?? {}))
    return perImageSync(op, masks, options as Targets<InterpolateThresholdOptions>, interpolateThresholdSync);
  const o = options as InterpolateThresholdOptions & RunOptions;
  if (!wantsRuns(o)) return runSync(describeInterpolateThreshold(masks, o));
  const first = describeInterpolateThreshold(masks, bitsFor(o));
  const bits = runSync(first);
  const counts = runSync(describeRunCounts(bits, widthOf(first.plan), o));
  const runs = runSync(describeRuns(bits, widthOf(first.plan), counts, o));
  return rleOf(bits.dims, widthOf(first.plan), counts, runs, o.rle === 'string');
}
