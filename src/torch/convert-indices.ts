/** Pooling indices from one framework's numbering to another's. */
import { countPerAxis, knownOptions, oneOf, type PerAxis, positivePerAxis, rank } from '../check.js';
import { ArgumentError, mustBe, refuse } from '../errors.js';
import {
  INDEX_CONVENTIONS,
  type IndexConvention,
  type IndexSpace,
  indexNumber,
  planePosition,
} from '../plan/convert-indices.js';
import { spatialDims } from '../plan/window.js';
import { allocate, asTensor, type Layout, type Tensor, type TensorLike } from '../tensor.js';
import { layoutOf } from './window-options.js';

export interface ConvertIndicesOptions {
  readonly from: IndexConvention;
  readonly to: IndexConvention;
  /** Dims of the tensor that was pooled, in the memory order of `layout`. */
  readonly dims: readonly number[];
  /** Memory order of the indices and of `dims`. Default 'nchw'. */
  readonly layout?: Layout | undefined;
  /** Window of the pooling; needed from and to 'xnnpack' alone, as are the next three. */
  readonly kernelSize?: PerAxis | undefined;
  /** Default: `kernelSize`. */
  readonly stride?: PerAxis | undefined;
  /** Cells added at the begin of each axis. Default 0. */
  readonly padding?: PerAxis | undefined;
  /** Default 1. */
  readonly dilation?: PerAxis | undefined;
}

const OPTIONS = ['from', 'to', 'dims', 'layout', 'kernelSize', 'stride', 'padding', 'dilation'];

/**
 * Renumbers pooling indices: the same winners, as another framework counts them.
 *
 * pytorch: row · W + column in the plane, int32. onnx: flat over the whole N × C × H × W tensor, int64. tensorflow: flat over
 * H × W × C of one image, int64. tensorflow-batch: flat over N × H × W × C, int64. xnnpack: number of the tap in the window,
 * kernel row by kernel row, int32. `indices` are int32 or int64, (N, C, OH, OW), with 1 to 3 spatial axes,
 * channels last with `layout: 'nhwc'`; the order of the elements stays. Throws ArgumentError for numbers that the pooling
 * cannot have given. Synchronous: it only counts.
 * Source: torch.nn.functional.max_pool2d (PyTorch 2.13), ONNX MaxPool-22, tf.nn.max_pool_with_argmax, XNNPACK argmax pooling.
 */
export function convertIndices(indices: TensorLike, options: ConvertIndicesOptions): Tensor {
  const op = 'convertIndices';
  knownOptions(op, options, OPTIONS);
  const o = options ?? ({} as ConvertIndicesOptions);
  const given = asTensor(op, 'indices', indices);
  if (given.type !== 'int32' && given.type !== 'int64')
    mustBe(op, 'indices.type', 'int32 or int64', given.type, 'ERR_UPSAMPLING_TYPE');
  const from = oneOf(op, 'from', o.from, INDEX_CONVENTIONS);
  const to = oneOf(op, 'to', o.to, INDEX_CONVENTIONS);
  const layout = layoutOf(op, o.layout);
  rank(op, 'indices', given.dims, [3, 4, 5]);
  const { dims } = o;
  if (!Array.isArray(dims) || !dims.every((d) => Number.isInteger(d) && d > 0))
    mustBe(op, 'dims', 'the positive dims of the tensor that was pooled', dims);
  if (dims.length !== given.dims.length)
    refuse(op, 'dims', `dims must have the rank of the indices, ${given.dims.length}, got ${dims.length}`);
  const n = dims.length - 2;
  const whole = spatialDims(dims, layout, n);
  const pooled = spatialDims(given.dims, layout, n);
  const channels = dims[layout === 'nchw' ? 1 : dims.length - 1]!;
  if (dims[0] !== given.dims[0] || channels !== given.dims[layout === 'nchw' ? 1 : dims.length - 1])
    refuse(
      op,
      'dims',
      `dims must have batch and channels of the indices [${given.dims.join(', ')}], got [${dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const space: IndexSpace = { channels, spatial: whole.spatial, windows: undefined };
  const asked = from === 'xnnpack' || to === 'xnnpack';
  const settled = asked ? { ...space, windows: windowsOf(op, n, o) } : space;
  const result = allocate(op, to === 'pytorch' || to === 'xnnpack' ? 'int32' : 'int64', given.dims);
  const pixels = pooled.spatial.reduce((a, b) => a * b, 1);
  const output = new Array<number>(n).fill(0);
  for (let i = 0; i < result.data.length; i++) {
    const channel = layout === 'nchw' ? Math.floor(i / pixels) % channels : i % channels;
    const flat = layout === 'nchw' ? i : Math.floor(i / channels);
    for (let axis = n - 1, rest = flat % pixels; axis >= 0; axis--) {
      output[axis] = rest % pooled.spatial[axis]!;
      rest = Math.floor(rest / pooled.spatial[axis]!);
    }
    const at = { batch: Math.floor(i / (pixels * channels)), channel, output };
    const value = given.data[i]!;
    const position = planePosition(from, settled, at, Number(value));
    const number = position < 0 ? -1 : indexNumber(to, settled, at, position);
    if (number < 0)
      throw new ArgumentError(
        'ERR_UPSAMPLING_INDEX',
        op,
        'indices',
        position < 0
          ? `${op}: indices must be winners as ${from} numbers them, got ${value} at position ${i}`
          : `${op}: indices must lie in the window of their output, got ${value} at position ${i}`,
      );
    result.data[i] = (result.type === 'int64' ? BigInt(number) : number) as never;
  }
  return result;
}

function windowsOf(op: string, n: number, o: ConvertIndicesOptions) {
  if (o.kernelSize === undefined)
    refuse(
      op,
      'kernelSize',
      'kernelSize must be given for the convention xnnpack, which counts in the window',
    );
  const kernel = positivePerAxis(op, 'kernelSize', o.kernelSize, n);
  const stride = o.stride === undefined ? kernel : positivePerAxis(op, 'stride', o.stride, n);
  const padding = countPerAxis(op, 'padding', o.padding ?? 0, n);
  const dilation = positivePerAxis(op, 'dilation', o.dilation ?? 1, n);
  return kernel.map((k, i) => ({
    kernel: k,
    stride: stride[i]!,
    dilation: dilation[i]!,
    padBegin: padding[i]!,
    padEnd: padding[i]!,
  }));
}
