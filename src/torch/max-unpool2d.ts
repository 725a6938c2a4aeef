/** torch.nn.functional.max_unpool1d, max_unpool2d and max_unpool3d (PyTorch 2.13). */
import { countPerAxis, knownOptions, oneOf, type PerAxis, plain, positivePerAxis } from '../check.js';
import { ArgumentError, mustBe, refuse, show } from '../errors.js';
import { type AsyncOptions, type Call, firstOf, type RunOptions, run, runSync } from '../execute.js';
import { planned } from '../plan/cache.js';
import {
  type MaxUnpool2dPlan,
  ON_DUPLICATE,
  type OnDuplicate,
  planMaxUnpool2d,
} from '../plan/max-unpool2d.js';
import { spatialDims, windowInSize } from '../plan/window.js';
import { asTensor, type Layout, type Tensor, type TensorLike, type TypedArray } from '../tensor.js';
import { layoutOf, spatialSizes } from './window-options.js';

export interface MaxUnpoolOptions {
  /** Window of the pooling to undo. */
  readonly kernelSize: PerAxis;
  /** Default: `kernelSize`. */
  readonly stride?: PerAxis | undefined;
  /** Default 0. */
  readonly padding?: PerAxis | undefined;
  /**
   * Extents of the output where several inputs pool to the same size: the spatial extents, or all dims. Less than one
   * stride away from the default, (in − 1)·stride − 2·padding + kernelSize.
   */
  readonly outputSize?: readonly number[] | undefined;
  /**
   * What stands where several values return to one cell, as overlapping windows make them: the 'last' in row-major order
   * (default), the 'max', their 'sum' (float32 and float64; of one value that value, -0 too), or an 'error'.
   */
  readonly onDuplicate?: OnDuplicate | undefined;
  /** Memory order of input, indices and output. Default 'nchw'. */
  readonly layout?: Layout | undefined;
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

const OPTIONS = [
  'kernelSize',
  'stride',
  'padding',
  'outputSize',
  'onDuplicate',
  'layout',
  'out',
  'threads',
  'signal',
];

type Options = MaxUnpoolOptions & AsyncOptions;

/** The default output extents of an unpooling, or the caller's, checked. */
export function unpoolSizes(
  op: string,
  dims: readonly number[],
  layout: Layout,
  n: number,
  o: MaxUnpoolOptions,
): number[] {
  const sizes = spatialSizes(op, dims, layout, n);
  const kernel = positivePerAxis(op, 'kernelSize', o.kernelSize, n);
  const stride = o.stride === undefined ? kernel : positivePerAxis(op, 'stride', o.stride, n);
  const padding = countPerAxis(op, 'padding', o.padding ?? 0, n);
  const usual = sizes.map((d, i) =>
    windowInSize(d, {
      kernel: kernel[i]!,
      stride: stride[i]!,
      dilation: 1,
      padBegin: padding[i]!,
      padEnd: padding[i]!,
    }),
  );
  let wanted = usual;
  if (o.outputSize !== undefined) {
    const given = o.outputSize;
    if (!Array.isArray(given) || (given.length !== n && given.length !== dims.length))
      mustBe(op, 'outputSize', `${n} extents, or all ${dims.length} dims of the output`, given);
    const own = layout === 'nchw' ? given.slice(given.length - n) : given.slice(-n - 1, -1);
    const spatial = positivePerAxis(op, 'outputSize', given.length === n ? given : own, n);
    const rest = (list: readonly number[]) =>
      layout === 'nchw' ? list.slice(0, -n) : [...list.slice(0, -n - 1), list[list.length - 1]];
    if (given.length !== n && rest(given).some((d, i) => d !== rest(dims)[i]))
      refuse(
        op,
        'outputSize',
        `outputSize must keep batch and channels of the input [${dims.join(', ')}], got ${show(given)}`,
      );
    for (const [i, d] of spatial.entries())
      if (Math.abs(d - usual[i]!) >= stride[i]!)
        refuse(
          op,
          'outputSize',
          `outputSize must be less than a stride of ${stride[i]} away from ${usual[i]} along axis ${i}, got ${d}`,
        );
    wanted = spatial;
  }
  for (const [i, d] of wanted.entries())
    if (d < 1)
      refuse(
        op,
        'padding',
        `padding must leave an output extent of at least 1 along axis ${i}, got ${padding[i]} for an extent of ${d}`,
      );
  return wanted.slice();
}

const NAMES = ['', 'maxUnpool1d', 'maxUnpool2d', 'maxUnpool3d'] as const;

function describe(
  n: 1 | 2 | 3,
  input: TensorLike,
  indices: TensorLike,
  options: Options,
): Call<Tensor, 'maxUnpool2d'> {
  const op = NAMES[n];
  const o = plain(options);
  const x = asTensor(op, 'input', input);
  const at = asTensor(op, 'indices', indices);
  const plan = planned(op, [x, at], o, () => unpoolPlan(op, n, x, at, o));
  return {
    op,
    kernel: 'maxUnpool2d',
    plan,
    inputs: [x.data, at.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: o.out }],
    options: o,
    finish: firstOf,
    explain: (position) => explainIndex(op, at.data, position, plan.outSize, 0),
  };
}

function unpoolPlan(op: string, n: number, x: Tensor, at: Tensor, o: Options): MaxUnpool2dPlan {
  knownOptions(op, o, OPTIONS);
  if (at.type !== 'int32' && at.type !== 'int64')
    mustBe(op, 'indices.type', 'int32 or int64', at.type, 'ERR_UPSAMPLING_TYPE');
  if (at.dims.length !== x.dims.length || at.dims.some((d, i) => d !== x.dims[i]))
    refuse(
      op,
      'indices.dims',
      `indices must have the dims of the input [${x.dims.join(', ')}], got [${at.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const options = o ?? ({} as Options);
  const layout = layoutOf(op, options.layout);
  const outSizes = unpoolSizes(op, x.dims, layout, n, options);
  const onDuplicate =
    options.onDuplicate === undefined ? 'last' : oneOf(op, 'onDuplicate', options.onDuplicate, ON_DUPLICATE);
  if (onDuplicate === 'sum' && x.type !== 'float32' && x.type !== 'float64')
    mustBe(op, 'onDuplicate', `'last', 'max' or 'error' with an input of ${x.type}`, onDuplicate);
  return planMaxUnpool2d({
    type: x.type,
    dims: x.dims,
    layout,
    outSizes,
    indexType: at.type,
    indices: 'plane',
    onDuplicate,
  });
}

/** Words an index that the backend refused. `base` is what numbering adds to positions in this element's plane. */
export function explainIndex(
  op: string,
  indices: TypedArray,
  position: number,
  planeSize: number,
  base: number,
): never {
  const value = indices[position]!;
  const inside = Number(value) - base >= 0 && Number(value) - base < planeSize;
  throw new ArgumentError(
    'ERR_UPSAMPLING_INDEX',
    op,
    'indices',
    inside
      ? `${op}: indices must name every cell at most once with onDuplicate "error", got ${value} again at position ${position}`
      : `${op}: indices must lie from ${base} to ${base + planeSize - 1}, got ${value} at position ${position}`,
  );
}

export const describeMaxUnpool1d = (x: TensorLike, i: TensorLike, o: Options) => describe(1, x, i, o);
export const describeMaxUnpool2d = (x: TensorLike, i: TensorLike, o: Options) => describe(2, x, i, o);
export const describeMaxUnpool3d = (x: TensorLike, i: TensorLike, o: Options) => describe(3, x, i, o);

/**
 * Max unpooling: out[indices[y, x]] = in[y, x] in every plane, 0 elsewhere.
 *
 * Input and indices (N, C, H, W) or (C, H, W), channels last with `layout: 'nhwc'`; every element type; indices int32 or
 * int64, flat in each output plane, as `maxPool2dWithIndices` returns them. Output extents (H − 1)·stride − 2·padding +
 * kernelSize, or `outputSize`. Duplicates: the last in row-major order stands, unless `onDuplicate` says otherwise.
 * Throws ArgumentError, before anything is written, also for an index outside its plane.
 * Source: torch.nn.functional.max_unpool2d, PyTorch 2.13 (which leaves the winner among duplicates open).
 */
export const maxUnpool2d = (
  input: TensorLike,
  indices: TensorLike,
  options: MaxUnpoolOptions & AsyncOptions,
): Promise<Tensor> => run(() => describeMaxUnpool2d(input, indices, options));

/** `maxUnpool2d`, computed before it returns. */
export const maxUnpool2dSync = (
  input: TensorLike,
  indices: TensorLike,
  options: MaxUnpoolOptions & RunOptions,
): Tensor => runSync(describeMaxUnpool2d(input, indices, options));

/** `maxUnpool2d` along one axis. */
export const maxUnpool1d = (
  input: TensorLike,
  indices: TensorLike,
  options: MaxUnpoolOptions & AsyncOptions,
): Promise<Tensor> => run(() => describeMaxUnpool1d(input, indices, options));

/** `maxUnpool1d`, computed before it returns. */
export const maxUnpool1dSync = (
  input: TensorLike,
  indices: TensorLike,
  options: MaxUnpoolOptions & RunOptions,
): Tensor => runSync(describeMaxUnpool1d(input, indices, options));

/** `maxUnpool2d` along three axes; indices count in D × H × W. */
export const maxUnpool3d = (
  input: TensorLike,
  indices: TensorLike,
  options: MaxUnpoolOptions & AsyncOptions,
): Promise<Tensor> => run(() => describeMaxUnpool3d(input, indices, options));

/** `maxUnpool3d`, computed before it returns. */
export const maxUnpool3dSync = (
  input: TensorLike,
  indices: TensorLike,
  options: MaxUnpoolOptions & RunOptions,
): Tensor => runSync(describeMaxUnpool3d(input, indices, options));

/** The dims that maxUnpool1d, maxUnpool2d and maxUnpool3d would return; shared with outputDims. */
export function maxUnpoolDims(n: 1 | 2 | 3, dims: readonly number[], o: MaxUnpoolOptions): number[] {
  const op = `maxUnpool${n}d`;
  knownOptions(op, o, OPTIONS);
  const layout = layoutOf(op, o?.layout);
  return spatialDims(dims, layout, n).withSpatial(unpoolSizes(op, dims, layout, n, o ?? {}));
}
