import { DATA_TYPES, type DataType, type Tensor } from '../../src/tensor.js';
import {
  describeMaxUnpool1d,
  describeMaxUnpool2d,
  describeMaxUnpool3d,
  type MaxUnpoolOptions,
  maxUnpool2dSync,
} from '../../src/torch/max-unpool2d.js';
import { type Args, defineOp, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';
import { axesOfSample } from './max-pool2d.js';

/** Indices strewn over a plane of `below` cells: values collide. `pooled: true` in the options makes them a pooling's instead. */
const args = (
  dims: readonly number[],
  options: Record<string, unknown>,
  below: number,
  type: DataType = 'float32',
  indexType: 'int32' | 'int64' = 'int32',
  seed = 3,
): Args => ({
  tensors: [
    { type, dims, seed, fill: 'special' },
    { type: indexType, dims, seed: seed + 1, fill: 'index', below },
  ],
  options,
});

/**
 * Indices that a pooling of 2×2 (or of `kernelSize`) gives: every value goes back into its own window. With `stray`, some one
 * goes to the cell before its own, which may be another's.
 */
function pooled(indices: Tensor, options: Record<string, unknown>): void {
  const k = options.kernelSize as number;
  const { dims } = indices;
  const [rows, columns] =
    options.layout === 'nhwc' ? [dims[1]!, dims[2]!] : [dims[dims.length - 2]!, dims[dims.length - 1]!];
  const inner = options.layout === 'nhwc' ? dims[3]! : 1;
  const data = indices.data as Int32Array | BigInt64Array;
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / inner);
    const x = pixel % columns;
    const y = Math.floor(pixel / columns) % rows;
    const tap = Number(data[i]) % (k * k);
    const own = (y * k + Math.floor(tap / k)) * columns * k + x * k + (tap % k);
    const at = options.stray === i ? Math.max(own - 1 - (tap % k), 0) : own;
    data[i] = (data instanceof BigInt64Array ? BigInt(at) : at) as never;
  }
}

function samples(): Args[] {
  const out: Args[] = [];
  for (const type of DATA_TYPES)
    for (const index of ['int32', 'int64'] as const) {
      out.push(args([2, 3, 4, 5], { kernelSize: 2 }, 80, type, index));
      out.push(args([2, 3, 4, 37], { kernelSize: 2, pooled: true }, 80, type, index));
      out.push(args([2, 3, 4, 37], { kernelSize: 2, pooled: true, stray: 180 }, 80, type, index));
      // Short rows, several planes together.
      for (const dims of [
        [1, 19, 7, 7],
        [2, 3, 9, 1],
        [1, 5, 1, 15],
      ])
        for (const stray of [-1, 40])
          out.push(args(dims, { kernelSize: 2, pooled: true, stray }, 80, type, index));
      out.push(args([1, 4, 5, 3], { kernelSize: 2, layout: 'nhwc' }, 80, type, index));
      out.push(args([2, 3, 2, 37], { kernelSize: 2, layout: 'nhwc', pooled: true }, 24, type, index));
      out.push(args([1, 3, 5, 2], { kernelSize: 2, layout: 'nhwc', pooled: true }, 60, type, index));
      out.push(args([2, 3, 4, 5], { kernelSize: 2, onDuplicate: 'max' }, 20, type, index));
    }
  for (const type of ['float32', 'float64'] as const)
    for (const layout of ['nchw', 'nhwc'])
      for (const pooled of [false, true])
        out.push(args([2, 3, 4, 5], { kernelSize: 2, onDuplicate: 'sum', layout, pooled }, 20, type));
  // A sum of one value is that value, -0 too, where planes are done two by two and where they are not.
  for (const stray of [-1, 40])
    out.push(args([1, 2, 9, 17], { kernelSize: 2, onDuplicate: 'sum', pooled: true, stray }, 80));
  out.push(args([1, 4, 9, 17], { kernelSize: 2, layout: 'nhwc', pooled: true }, 4));
  out.push(args([1, 3, 9, 17], { kernelSize: 2, onDuplicate: 'error', pooled: true }, 4));
  // Planes of more than half a MiB are divided into rows; one value that strays has its plane done again.
  for (const stray of [-1, 2 * 190 * 190 - 3])
    out.push(args([1, 2, 190, 190], { kernelSize: 2, pooled: true, stray }, 4, 'float32', 'int64'));
  for (const stray of [-1, 40 * 41 * 23 - 30])
    out.push(args([1, 40, 41, 23], { kernelSize: 2, pooled: true, layout: 'nhwc', stray }, 4, 'float64'));
  out.push(args([1, 3, 9, 17], { kernelSize: 3, stride: 2, padding: 1 }, 17 * 33));
  out.push(args([1, 3, 9, 17], { kernelSize: 2, outputSize: [19, 33] }, 19 * 33));
  out.push(args([1, 3, 9, 17], { kernelSize: 2, outputSize: [1, 3, 17, 35] }, 17 * 35));
  out.push(args([1, 9, 17, 3], { kernelSize: 2, outputSize: [1, 17, 35, 3], layout: 'nhwc' }, 17 * 35));
  // One, and three, spatial axes; no batch; an empty batch.
  out.push(args([2, 3, 9], { kernelSize: 3 }, 27), args([3, 4, 5], { kernelSize: 2 }, 80));
  out.push(args([1, 2, 2, 3, 4], { kernelSize: 2 }, 192), args([0, 2, 3, 4], { kernelSize: 2 }, 48));
  return out;
}

function random(r: Random): Args {
  const k = r.int(1, 3);
  const layout = r.pick(['nchw', 'nhwc'] as const);
  const [h, w, c] = [r.int(1, 12), r.int(1, 40), r.int(1, 6)];
  const type = r.pick(DATA_TYPES);
  const options: Record<string, unknown> = { kernelSize: k, layout };
  if (r.chance(0.5)) options.pooled = true;
  const rules = type === 'float32' || type === 'float64' ? ['last', 'max', 'sum'] : ['last', 'max'];
  if (r.chance(0.5)) options.onDuplicate = r.pick(rules);
  const dims = layout === 'nchw' ? [r.int(1, 2), c, h, w] : [r.int(1, 2), h, w, c];
  return args(dims, options, h * k * w * k, type, r.pick(['int32', 'int64'] as const), r.int(1, 1e9));
}

const x = () => tensor([1, 1, 2, 2], [1, 2, 3, 4]);
const at = (...values: number[]) => ({ data: Int32Array.from(values), dims: [1, 1, 2, 2] });
const bad =
  (options: unknown, indices: unknown = at(0, 2, 8, 10), input: unknown = x()) =>
  () =>
    maxUnpool2dSync(input as never, indices as never, options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';
const SHAPE = 'ERR_UPSAMPLING_SHAPE';
const INDEX = 'ERR_UPSAMPLING_INDEX';

const describers: Record<number, typeof describeMaxUnpool2d> = {
  1: describeMaxUnpool1d,
  2: describeMaxUnpool2d,
  3: describeMaxUnpool3d,
};

export default defineOp({
  name: 'maxUnpool2d',
  kernel: 'maxUnpool2d',
  describe: ([input, indices], options) => {
    const { pooled: local, stray, ...rest } = options;
    if (local === true) pooled(indices!, { ...rest, stray });
    return describers[axesOfSample(input!.dims)]!(input!, indices!, rest as unknown as MaxUnpoolOptions);
  },
  family: () => 'exact',
  samples,
  random,
  errors: [
    {
      name: 'no options',
      call: bad(undefined),
      code: OPTION,
      message: /kernelSize must be .*, got undefined/,
    },
    {
      name: 'index beyond the plane',
      call: bad({ kernelSize: 2 }, at(0, 2, 16, 10)),
      code: INDEX,
      message: /indices must lie from 0 to 15, got 16 at position 2/,
    },
    {
      name: 'negative index',
      call: bad({ kernelSize: 2 }, at(0, -1, 8, 99)),
      code: INDEX,
      message: /got -1 at position 1/,
    },
    {
      name: 'huge int64 index',
      call: bad({ kernelSize: 2 }, { data: BigInt64Array.of(0n, 2n ** 40n, 1n, 2n), dims: [1, 1, 2, 2] }),
      code: INDEX,
      message: /got 1099511627776 at position 1/,
    },
    {
      name: 'an index twice where that is refused',
      call: bad({ kernelSize: 2, onDuplicate: 'error' }, at(0, 5, 5, 10)),
      code: INDEX,
      message: /at most once .* got 5 again at position 2/,
    },
    {
      name: 'indices of other dims',
      call: bad({ kernelSize: 2 }, { data: new Int32Array(4), dims: [1, 1, 4, 1] }),
      code: SHAPE,
      message: /indices must have the dims of the input \[1, 1, 2, 2\]/,
    },
    {
      name: 'float indices',
      call: bad({ kernelSize: 2 }, x()),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /indices.type must be int32 or int64, got "float32"/,
    },
    {
      name: 'outputSize too far away',
      call: bad({ kernelSize: 2, outputSize: [6, 4] }),
      code: OPTION,
      message: /outputSize must be less than a stride of 2 away from 4 along axis 0, got 6/,
    },
    {
      name: 'outputSize of three',
      call: bad({ kernelSize: 2, outputSize: [1, 4, 4] }),
      code: OPTION,
      message: /outputSize must be 2 extents, or all 4 dims/,
    },
    {
      name: 'outputSize with other channels',
      call: bad({ kernelSize: 2, outputSize: [1, 2, 4, 4] }),
      code: OPTION,
      message: /outputSize must keep batch and channels/,
    },
    {
      name: 'padding that leaves nothing',
      call: bad({ kernelSize: 1, stride: 1, padding: 1 }, at(0, 0, 0, 0)),
      code: OPTION,
      message: /padding must leave an output extent of at least 1/,
    },
    {
      name: 'unknown rule for duplicates',
      call: bad({ kernelSize: 2, onDuplicate: 'first' }),
      code: OPTION,
      message: /onDuplicate must be one of last, max, sum, error/,
    },
    {
      name: 'sum of bytes',
      call: bad({ kernelSize: 2, onDuplicate: 'sum' }, undefined, {
        data: new Uint8Array(4),
        dims: [1, 1, 2, 2],
      }),
      code: OPTION,
      message: /onDuplicate must be 'last', 'max' or 'error' with an input of uint8/,
    },
    {
      name: 'misspelt option',
      call: bad({ kernelSize: 2, output_size: [4, 4] }),
      code: OPTION,
      message: /did you mean outputSize\?/,
    },
    {
      name: 'rank 2',
      call: bad(
        { kernelSize: 2 },
        { data: new Int32Array(4), dims: [2, 2] },
        { data: new Float32Array(4), dims: [2, 2] },
      ),
      code: SHAPE,
      message: /input must have 3 or 4 dimensions/,
    },
  ],
});
