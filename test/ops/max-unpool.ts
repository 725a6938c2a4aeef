import { describeMaxUnpool, type MaxUnpoolAttributes, maxUnpoolSync } from '../../src/onnx/max-unpool.js';
import { DATA_TYPES, type DataType } from '../../src/tensor.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';
import type { Random } from '../support/random.js';

type Options = MaxUnpoolAttributes & {
  readonly kernel_shape: readonly number[];
  readonly output_shape?: readonly number[];
};

const args = (dims: readonly number[], options: Options, type: DataType = 'float32', seed = 7): Args => ({
  tensors: [
    { type, dims, seed },
    { type: 'int64', dims, seed: seed + 1, fill: 'index', below: 1 << 20 },
  ],
  options: options as unknown as Record<string, unknown>,
});

/** The extents that the attributes lead to. */
const inferred = (dims: readonly number[], o: Options): number[] =>
  o.kernel_shape.map((k, i) => {
    const n = o.kernel_shape.length;
    return (dims[2 + i]! - 1) * (o.strides?.[i] ?? 1) + k - (o.pads?.[i] ?? 0) - (o.pads?.[n + i] ?? 0);
  });

const vector = (v: readonly number[]) => ({ data: BigInt64Array.from(v, BigInt), dims: [v.length] });

function samples(): Args[] {
  const out: Args[] = [];
  for (const { type, larger } of product({ type: DATA_TYPES, larger: [false, true] }))
    out.push(
      args(
        [2, 3, 4, 5],
        { kernel_shape: [2, 2], strides: [2, 2], ...(larger ? { output_shape: [2, 3, 9, 12] } : {}) },
        type,
      ),
    );
  out.push(
    args([2, 3, 9], { kernel_shape: [3], strides: [2] }),
    args([1, 2, 3, 2, 4], { kernel_shape: [2, 2, 2], strides: [2, 2, 2], output_shape: [1, 2, 7, 4, 9] }),
    args([1, 2, 5, 5], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 0, 1] }),
  );
  return out;
}

function random(r: Random): Args {
  const n = r.int(1, 3);
  const list = (low: number, high: number) => Array.from({ length: n }, () => r.int(low, high));
  const dims = [r.int(1, 2), r.int(1, 3), ...list(1, 6)];
  const o: Options = { kernel_shape: list(1, 3), strides: list(1, 3) };
  const more = r.chance(0.5)
    ? { output_shape: [dims[0]!, dims[1]!, ...inferred(dims, o).map((d) => d + r.int(0, 2))] }
    : {};
  return args(dims, { ...o, ...more }, r.pick(DATA_TYPES), r.int(1, 1e9));
}

const x = () => tensor([1, 1, 1, 1], [5]);
const index = (v: number) => ({ data: BigInt64Array.of(BigInt(v)), dims: [1, 1, 1, 1] });
const call = (attributes: object, v = 0, shape?: readonly number[]) =>
  maxUnpoolSync([x(), index(v), shape === undefined ? undefined : vector(shape)], {
    kernel_shape: [2, 2],
    ...attributes,
  });
const OPTION = 'ERR_UPSAMPLING_OPTION';

export default defineOp({
  name: 'maxUnpool',
  kernel: 'maxUnpool2d',
  describe: ([input, indices], options) => {
    const { output_shape, ...attributes } = options as unknown as Options;
    const plane = inferred(input!.dims, options as unknown as Options).reduce((a, b) => a * b, 1);
    const cells = input!.dims.slice(2).reduce((a, b) => a * b, 1);
    const data = indices!.data as BigInt64Array;
    for (let i = 0; i < data.length; i++)
      data[i] = BigInt(Math.floor(i / cells) * plane + (Number(data[i]) % plane));
    return describeMaxUnpool(
      [input, indices, output_shape === undefined ? undefined : vector(output_shape)],
      attributes,
      undefined,
    ) as never;
  },
  family: () => 'exact',
  samples,
  random,
  errors: [
    {
      name: 'no kernel_shape',
      call: () => maxUnpoolSync([x(), index(0)], {}),
      code: OPTION,
      message: /kernel_shape must be a list of 2 integers/,
    },
    {
      name: 'misspelt attribute',
      call: () => call({ stride: [1, 1] }),
      code: OPTION,
      message: /did you mean strides\?/,
    },
    {
      name: 'pads that leave nothing',
      call: () => call({ pads: [2, 0, 0, 0] }),
      code: OPTION,
      message: /pads must leave output extents/,
    },
    {
      name: 'index beyond the output',
      call: () => call({}, 4),
      code: 'ERR_UPSAMPLING_INDEX',
      message: /I must name elements of the output in the plane of their value, got 4 at position 0/,
    },
    {
      name: 'negative index',
      call: () => call({}, -1),
      code: 'ERR_UPSAMPLING_INDEX',
      message: /got -1 at position 0/,
    },
    {
      name: 'index beyond the inferred shape',
      call: () => call({}, 4, [1, 1, 3, 3]),
      code: 'ERR_UPSAMPLING_INDEX',
      message: /got 4 at position 0/,
    },
    {
      name: 'output_shape that is too small',
      call: () => call({}, 0, [1, 1, 1, 2]),
      code: OPTION,
      message: /output_shape must be dims of at least \[1, 1, 2, 2\]/,
    },
    {
      name: 'float indices',
      call: () => maxUnpoolSync([x(), x()], { kernel_shape: [2, 2] }),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /I.type must be int64 or int32/,
    },
    {
      name: 'indices of other dims',
      call: () =>
        maxUnpoolSync([x(), { data: new BigInt64Array(2), dims: [1, 1, 1, 2] }], { kernel_shape: [2, 2] }),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /I must have the dims of X/,
    },
    {
      name: 'no indices',
      call: () => maxUnpoolSync([x()], { kernel_shape: [2, 2] }),
      code: 'ERR_UPSAMPLING_ARGUMENT',
      message: /I must be a tensor/,
    },
  ],
});
