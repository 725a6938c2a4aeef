/** Options that every operator that resizes and reduces shares: where the input's window lies and what of the output is wanted. */
import { knownOptions } from '../check.js';
import { mustBe, refuse } from '../errors.js';
import { type AsyncOptions, type Call, type RunOptions, run, runSync } from '../execute.js';
import type { ResizedSpec } from '../plan/resized.js';
import { asTensor, NUMERIC, sizeOf, type Tensor, type TensorLike } from '../tensor.js';
import { type InterpolateOptions, resizeAxes, type Shape } from './interpolate.js';

export interface FusedResizeOptions extends Omit<InterpolateOptions, 'out'> {
  /**
   * The part of the input to show, [y0, x0, y1, x1] in pixel edges of the input (0 to its extents), fractions allowed: undoes
   * letterboxing exactly. Filters still read the pixels around it. `size` is the size of the shown part.
   */
  readonly crop?: readonly number[] | undefined;
  /** The part of the output to compute, [y0, x0, y1, x1] in whole output pixels; the result has its extents. */
  readonly roi?: readonly number[] | undefined;
}

export const WINDOW_OPTIONS = ['crop', 'roi'];

/** The checked resize of an operator that reduces. */
export function resizedSpec(op: string, x: Shape, o: FusedResizeOptions): ResizedSpec {
  if (!NUMERIC.includes(x.type))
    mustBe(op, 'input.type', `one of ${NUMERIC.join(', ')}`, x.type, 'ERR_UPSAMPLING_TYPE');
  const { layout, axes, sizes, first } = resizeAxes(
    op,
    x,
    o,
    o.crop === undefined ? undefined : (inputSizes) => cropOf(op, o.crop, inputSizes),
  );
  if (first !== (layout === 'nchw' ? 2 : 1))
    refuse(
      op,
      'input.dims',
      `input must have a batch axis, got [${x.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const outSizes = axes.map((a, i) => a?.outSize ?? sizes[i]!);
  sizeOf(op, 'size', [x.dims[0]!, ...outSizes]);
  const roi = o.roi === undefined ? undefined : regionOf(op, 'roi', o.roi, outSizes);
  return { type: x.type, dims: x.dims, layout, axes, roi };
}

/** [low of each axis, high of each axis] as pairs, or undefined when it is not that many numbers. */
function pairs(value: unknown, n: number): [number, number][] | undefined {
  if (!Array.isArray(value) || value.length !== 2 * n || !value.every((v) => Number.isFinite(v)))
    return undefined;
  return Array.from({ length: n }, (_, i) => [value[i] as number, value[n + i] as number]);
}

function cropOf(op: string, value: unknown, sizes: readonly number[]): [number, number][] {
  const list = pairs(value, sizes.length);
  if (list === undefined || list.some(([low, high], i) => low < 0 || high <= low || high > sizes[i]!))
    mustBe(op, 'crop', `a window [y0, x0, y1, x1] inside the input of [${sizes.join(', ')}]`, value);
  return list;
}

/** Whole pixels of an output, [first, end) per axis. */
export function regionOf(
  op: string,
  param: string,
  value: unknown,
  sizes: readonly number[],
): [number, number][] {
  const list = pairs(value, sizes.length);
  if (
    list === undefined ||
    list.some(
      ([low, high], i) =>
        !Number.isInteger(low) || !Number.isInteger(high) || low < 0 || high <= low || high > sizes[i]!,
    )
  )
    mustBe(
      op,
      param,
      `a region [y0, x0, y1, x1] of whole pixels inside the output of [${sizes.join(', ')}]`,
      value,
    );
  return list;
}

/** Options with a list of targets: what differs from image to image, `size` above all. */
export type Targets<O> = Omit<O, 'size' | 'scaleFactor' | 'crop' | 'roi' | 'out'> & {
  /** One per image of the batch; each image gets its own result, without the batch axis. */
  readonly targets: readonly Pick<O & FusedResizeOptions, 'size' | 'scaleFactor' | 'crop' | 'roi'>[];
};

const TARGET_OPTIONS = ['size', 'scaleFactor', 'crop', 'roi', 'boxes', 'keep'];

/** The images of a batch, each with its own options. */
function imagesOf<O extends object>(
  op: string,
  input: TensorLike,
  options: Targets<O>,
): { image: Tensor; options: O }[] {
  const x = asTensor(op, 'input', input);
  const { targets, ...shared } = options as Targets<O> & { out?: unknown };
  if (!Array.isArray(targets) || targets.length !== x.dims[0])
    mustBe(op, 'targets', `a list of ${x.dims[0]} targets, one per image`, targets);
  if (shared.out !== undefined) refuse(op, 'out', 'out must be left out with targets');
  const size = sizeOf(op, 'input', x.dims.slice(1));
  return targets.map((target, i) => {
    knownOptions(op, target, TARGET_OPTIONS);
    const data = x.data.subarray(i * size, (i + 1) * size) as Tensor['data'];
    return {
      image: { type: x.type, data, dims: [1, ...x.dims.slice(1)] },
      options: { ...shared, ...target } as unknown as O,
    };
  });
}

/** A result without its batch axis; of several tensors, each. */
function unbatched<R>(result: R): R {
  const strip = (t: Tensor): Tensor => ({ ...t, dims: t.dims.slice(1) });
  if (Array.isArray(result)) return result[0] as R;
  if (result !== null && typeof result === 'object' && 'dims' in result)
    return strip(result as unknown as Tensor) as unknown as R;
  return Object.fromEntries(Object.entries(result as object).map(([k, t]) => [k, strip(t as Tensor)])) as R;
}

/** Runs an operator on each image of a batch with that image's own target. */
export async function perImage<O extends object, R>(
  op: string,
  input: TensorLike,
  options: Targets<O>,
  run: (image: TensorLike, options: O) => Promise<R>,
): Promise<R[]> {
  const images = imagesOf(op, input, options);
  return Promise.all(images.map(async ({ image, options: own }) => unbatched(await run(image, own))));
}

/** `perImage`, computed before it returns. */
export function perImageSync<O extends object, R>(
  op: string,
  input: TensorLike,
  options: Targets<O>,
  run: (image: TensorLike, options: O) => R,
): R[] {
  return imagesOf(op, input, options).map(({ image, options: own }) => unbatched(run(image, own)));
}

/** An operator that resizes and gives one tensor: for one target, or for one per image. */
export interface Resizing<O> {
  (input: TensorLike, options: Targets<O> & AsyncOptions): Promise<Tensor[]>;
  (input: TensorLike, options: O & AsyncOptions): Promise<Tensor>;
}

/** `Resizing`, computed before it returns. */
export interface ResizingSync<O> {
  (input: TensorLike, options: Targets<O> & RunOptions): Tensor[];
  (input: TensorLike, options: O & RunOptions): Tensor;
}

/** The two public forms of such an operator from its description. */
export function resizing<O extends object>(
  op: string,
  describe: (input: TensorLike, options: O & AsyncOptions) => Call<Tensor>,
): { later: Resizing<O>; now: ResizingSync<O> } {
  const later = async (input: TensorLike, options: (O | Targets<O>) & AsyncOptions) =>
    'targets' in (options ?? {})
      ? perImage(op, input, options as Targets<O>, later as Resizing<O>)
      : run(() => describe(input, options as O & AsyncOptions));
  const now = (input: TensorLike, options: (O | Targets<O>) & RunOptions) =>
    'targets' in (options ?? {})
      ? perImageSync(op, input, options as Targets<O>, now as ResizingSync<O>)
      : runSync(describe(input, options as O & RunOptions));
  return { later: later as Resizing<O>, now: now as ResizingSync<O> };
}
