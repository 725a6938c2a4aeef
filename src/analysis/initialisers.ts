/** Weights that begin without a checkerboard, exact to the formulas of their papers. */
import { knownOptions, oneOf, type PerAxis, positiveInt, positivePerAxis } from '../check.js';
import { refuse } from '../errors.js';
import { toHalf } from '../half.js';
import { allocate, asTensor, type Tensor, type TensorLike, type TypedArray } from '../tensor.js';
import type { ExpandingKind } from './layer.js';

export interface BilinearWeightsOptions {
  /** One number or one per axis; a list says the number of axes, a number stands for two. */
  readonly stride: PerAxis;
  /** Default 2·stride − stride % 2, the kernel with which interpolation is exact. */
  readonly kernelSize?: PerAxis | undefined;
  /** Channels in and out. Default 1. */
  readonly channels?: number | undefined;
  /** 1: weight (C, C, k…), diagonal over the channels. C: weight (C, 1, k…), for a grouped convolution. Default 1. */
  readonly groups?: number | undefined;
  /** Default 'float32'. */
  readonly type?: 'float32' | 'float64' | 'float16' | undefined;
}

/** One axis of the filter: 1 − |x − c| / f with f = ⌈k/2⌉ and c = f − 1 for odd k, f − ½ for even k. */
function bilinearAxis(kernel: number): Float64Array {
  const factor = Math.floor((kernel + 1) / 2);
  const centre = kernel % 2 === 1 ? factor - 1 : factor - 0.5;
  return Float64Array.from({ length: kernel }, (_, x) => 1 - Math.abs(x - centre) / factor);
}

/**
 * Bilinear interpolation as the weight of a transposed convolution: w[c, c, y, x] = (1 − |y − c_y|/f)·(1 − |x − c_x|/f), f = ⌈k/2⌉,
 * centre f − 1 for odd k and f − ½ for even k; 0 between different channels.
 *
 * Any stride, odd and even kernels, 1 to 3 axes. With the default kernel and padding ⌈(stride − 1)/2⌉ the layer interpolates
 * bilinearly by the factor of its stride, and every phase has gain 1.
 *
 * Throws ArgumentError for sizes below 1 and for groups other than 1 or `channels`.
 * Source: Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015, and `upsample_filt` of its code.
 */
export function bilinearWeights(options: BilinearWeightsOptions): Tensor {
  const op = 'bilinearWeights';
  knownOptions(op, options, ['stride', 'kernelSize', 'channels', 'groups', 'type']);
  const lengthOf = (v: unknown) => (Array.isArray(v) && v.length > 1 ? v.length : undefined);
  const n =
    lengthOf(options.stride) ?? lengthOf(options.kernelSize) ?? (Array.isArray(options.stride) ? 1 : 2);
  if (n > 3) refuse(op, 'stride', `stride must have one to three axes, got ${n}`);
  const stride = positivePerAxis(op, 'stride', options.stride, n);
  const kernel =
    options.kernelSize === undefined
      ? stride.map((s) => 2 * s - (s % 2))
      : positivePerAxis(op, 'kernelSize', options.kernelSize, n);
  const channels = positiveInt(op, 'channels', options.channels ?? 1);
  const groups = positiveInt(op, 'groups', options.groups ?? 1);
  if (groups !== 1 && groups !== channels)
    refuse(op, 'groups', `groups must be 1 or channels, got ${groups} of ${channels}`);
  const type =
    options.type === undefined
      ? 'float32'
      : oneOf(op, 'type', options.type, ['float32', 'float64', 'float16'] as const);
  const perGroup = channels / groups;
  const out = allocate(op, type, [channels, perGroup, ...kernel]);
  let filter = Float64Array.of(1);
  for (const k of kernel) {
    const axis = bilinearAxis(k);
    const wider = new Float64Array(filter.length * k);
    for (let i = 0; i < filter.length; i++)
      for (let j = 0; j < k; j++) wider[i * k + j] = filter[i]! * axis[j]!;
    filter = wider;
  }
  const values = type === 'float16' ? Uint16Array.from(filter, (v) => toHalf(Math.fround(v))) : filter;
  for (let c = 0; c < channels; c++) {
    const at = (c * perGroup + (groups === 1 ? c : 0)) * filter.length;
    for (let k = 0; k < filter.length; k++) out.data[at + k] = values[k]!;
  }
  return out;
}

export interface IcnrOptions {
  /** The factor of the shuffle, or the stride; one number or one per axis. */
  readonly upscaleFactor: PerAxis;
  /**
   * 'pixel-shuffle' (default): (C, in/groups, k…) to (C·r^n, in/groups, k…) for conv + pixelShuffle. 'conv-transpose': (in, C/groups, k…) to
   * (in, C/groups, k·r…) for a transposed convolution of stride r. The layouts of the two differ.
   */
  readonly kind?: ExpandingKind | undefined;
}

/**
 * Sub-pixel weights that equal nearest-neighbour resizing after one convolution: W[c·r² + p, i, y, x] = K[c, i, y, x] for every
 * p < r² (pixel shuffle), or W[i, c, y·r + p_y, x·r + p_x] = K[i, c, y, x] (transposed convolution).
 *
 * `kernel` is the sub-kernel as an ordinary initialiser drew it; it keeps its type. All phases are then the same, so the layer
 * has no checkerboard until it learns one.
 *
 * Throws ArgumentError for wrong ranks and factors.
 * Source: Aitken, Ledig, Theis, Caballero, Wang, Shi, "Checkerboard artifact free sub-pixel convolution", arXiv 1707.02937, 2017.
 */
export function icnr(kernel: TensorLike, options: IcnrOptions): Tensor {
  const op = 'icnr';
  knownOptions(op, options, ['upscaleFactor', 'kind']);
  const k = asTensor(op, 'kernel', kernel);
  if (k.dims.length < 3 || k.dims.length > 5)
    refuse(
      op,
      'kernel.dims',
      `kernel must have 3 to 5 dimensions, got [${k.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const n = k.dims.length - 2;
  const factor = positivePerAxis(op, 'upscaleFactor', options.upscaleFactor, n);
  const kind =
    options.kind === undefined
      ? 'pixel-shuffle'
      : oneOf(op, 'kind', options.kind, ['pixel-shuffle', 'conv-transpose'] as const);
  const phases = factor.reduce((a, b) => a * b, 1);
  const [first, second] = k.dims as [number, number];
  const spatial = k.dims.slice(2);
  if (kind === 'pixel-shuffle') {
    const out = allocate(op, k.type, [first * phases, second, ...spatial]);
    const plane = second * spatial.reduce((a, b) => a * b, 1);
    for (let c = 0; c < first; c++) {
      const one = k.data.subarray(c * plane, (c + 1) * plane);
      for (let p = 0; p < phases; p++) out.data.set(one as never, (c * phases + p) * plane);
    }
    return out;
  }
  const out = allocate(op, k.type, [first, second, ...spatial.map((d, i) => d * factor[i]!)]);
  repeatInto(out.data, k.data, [first * second, ...spatial], [1, ...factor]);
  return out;
}

/** Every element repeated along each axis, as nearest-neighbour resizing by whole factors does. */
function repeatInto(
  to: TypedArray,
  from: TypedArray,
  dims: readonly number[],
  factor: readonly number[],
): void {
  const wide = dims.map((d, i) => d * factor[i]!);
  for (let at = 0; at < to.length; at++) {
    let rest = at;
    let source = 0;
    let step = 1;
    for (let a = dims.length - 1; a >= 0; a--) {
      source += Math.floor((rest % wide[a]!) / factor[a]!) * step;
      rest = Math.floor(rest / wide[a]!);
      step *= dims[a]!;
    }
    to[at] = from[source]!;
  }
}
