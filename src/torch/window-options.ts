/** The options that every sliding window of the PyTorch dialect shares, checked and turned into axes. */
import { countPerAxis, flag, oneOf, type PerAxis, positivePerAxis, rank } from '../check.js';
import { refuse } from '../errors.js';
import { spatialDims, type WindowAxis, windowAxis, windowExtent, windowOutSize } from '../plan/window.js';
import type { Layout, Tensor, TensorLike } from '../tensor.js';

/** Options of every pool. A number, or one number per spatial axis. */
export interface WindowOptions {
  /** Extent of the window. */
  readonly kernelSize: PerAxis;
  /** Distance between windows. Default: `kernelSize`. */
  readonly stride?: PerAxis | undefined;
  /** Cells added on both sides, at most half of `kernelSize`. Default 0. */
  readonly padding?: PerAxis | undefined;
  /** Round output extents up, so that a last window may hang over the end. Default false. */
  readonly ceilMode?: boolean | undefined;
  /** Memory order of input and output. Default 'nchw'. */
  readonly layout?: Layout | undefined;
}

export const WINDOW_OPTIONS = [
  'kernelSize',
  'stride',
  'padding',
  'ceilMode',
  'layout',
  'out',
  'threads',
  'signal',
] as const;

export const layoutOf = (op: string, value: unknown): Layout =>
  value === undefined ? 'nchw' : oneOf(op, 'layout', value, ['nchw', 'nhwc'] as const);

/** Refuses inputs without n spatial axes, or with an empty axis other than the batch. Returns the spatial extents. */
export function spatialSizes(
  op: string,
  dims: readonly number[],
  layout: Layout,
  n: number,
): readonly number[] {
  rank(op, 'input', dims, [n + 1, n + 2]);
  if (dims.slice(dims.length - n - 1).some((d) => d === 0))
    refuse(
      op,
      'input.dims',
      `input must have no empty axis but the batch, got [${dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  return spatialDims(dims, layout, n).spatial;
}

/** The windows that the options ask for on an input of these dims. */
export function windowAxesOf(
  op: string,
  dims: readonly number[],
  layout: Layout,
  n: number,
  o: WindowOptions & { readonly dilation?: PerAxis | undefined },
): WindowAxis[] {
  const sizes = spatialSizes(op, dims, layout, n);
  const kernel = positivePerAxis(op, 'kernelSize', o.kernelSize, n);
  const stride = o.stride === undefined ? kernel : positivePerAxis(op, 'stride', o.stride, n);
  const padding = countPerAxis(op, 'padding', o.padding ?? 0, n);
  const dilation = positivePerAxis(op, 'dilation', o.dilation ?? 1, n);
  const ceil = flag(op, 'ceilMode', o.ceilMode, false);
  return sizes.map((inSize, i) => {
    const w = {
      kernel: kernel[i]!,
      stride: stride[i]!,
      dilation: dilation[i]!,
      padBegin: padding[i]!,
      padEnd: padding[i]!,
    };
    // PyTorch counts the taps here, not the extent that dilation gives them.
    if (w.padBegin > w.kernel / 2)
      refuse(op, 'padding', `padding must be at most half of kernelSize ${w.kernel}, got ${w.padBegin}`);
    const outSize = windowOutSize(inSize, w, ceil);
    if (outSize < 1)
      refuse(
        op,
        'kernelSize',
        `kernelSize must fit into the padded input, got a window of ${windowExtent(w)} on ${inSize} + ${2 * w.padBegin}`,
        'ERR_UPSAMPLING_SHAPE',
      );
    return windowAxis(inSize, w, outSize);
  });
}

/** `dims` with the spatial extents that these windows leave. */
export const pooledDims = (dims: readonly number[], layout: Layout, axes: readonly WindowAxis[]): number[] =>
  spatialDims(dims, layout, axes.length).withSpatial(axes.map((a) => a.outSize));

/** The two tensors of `out: { output, indices }`. */
export interface OutWithIndices {
  readonly output: TensorLike;
  readonly indices: TensorLike;
}

/** What functions with winners return. */
export interface PooledWithIndices {
  readonly output: Tensor;
  readonly indices: Tensor;
}
