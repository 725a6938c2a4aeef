/** What the cases of the convolution family share. */
import type { ConvPlan } from '../../src/plan/conv2d.js';
import type { DataType } from '../../src/tensor.js';
import { type Args, type ErrorCase, tensor } from './operator.js';
import type { Random } from './random.js';
import type { TensorSpec } from './tensors.js';

export interface ConvCase {
  readonly image: readonly number[];
  readonly kernel: readonly number[];
  readonly in: number;
  readonly out: number;
  readonly batch?: number;
  readonly bias?: boolean;
  readonly type?: DataType;
  readonly fill?: TensorSpec['fill'];
  readonly weightFill?: TensorSpec['fill'];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly seed?: number;
}

/** Tensors and options of a case; the channel counts are of the whole layer. */
export function convArgs(c: ConvCase, transposed: boolean): Args {
  const { type = 'float32', seed = 1, options = {} } = c;
  const groups = (options.groups as number) ?? 1;
  const image = options.layout === 'nhwc' ? [...c.image, c.in] : [c.in, ...c.image];
  const weight = transposed ? [c.in, c.out / groups] : [c.out, c.in / groups];
  const tensors: TensorSpec[] = [
    { type, dims: c.batch === undefined ? image : [c.batch, ...image], seed, ...fill(c.fill) },
    { type, dims: [...weight, ...c.kernel], seed: seed + 1, ...fill(c.weightFill) },
  ];
  if (c.bias) tensors.push({ type, dims: [c.out], seed: seed + 2 });
  return { tensors, options };
}

const fill = (f: TensorSpec['fill'] | undefined) => (f === undefined ? {} : { fill: f });

/** A case of any rank, shape and type. */
export function randomConv(r: Random, transposed: boolean): ConvCase {
  const n = r.pick([1, 2, 2, 2, 3]);
  const per = (f: () => number) => Array.from({ length: n }, f);
  const most = n === 1 ? 80 : n === 2 ? 24 : 7;
  const groups = r.pick([1, 1, 1, 2, 3]);
  const kernel = per(() => r.int(1, n === 3 ? 3 : 5));
  const stride = per(() => r.int(1, 3));
  const dilation = per(() => (r.chance(0.3) ? r.int(1, 3) : 1));
  const padding = per(() => r.int(0, 3));
  const options: Record<string, unknown> = { stride, dilation, padding, groups };
  if (transposed)
    options.outputPadding = per(() => r.int(0, 1)).map((p, i) =>
      Math.min(p, Math.max(stride[i]!, dilation[i]!) - 1),
    );
  options.layout = r.pick(['nchw', 'nhwc']);
  const image = kernel.map((k, i) => {
    const span = dilation[i]! * (k - 1) + 1;
    // Large enough that at least one output exists.
    const least = transposed
      ? Math.ceil((2 * padding[i]! + 1 - span) / stride[i]!) + 1
      : span - 2 * padding[i]!;
    return Math.max(1, least) + r.int(0, most);
  });
  return {
    image,
    kernel,
    in: groups * r.pick([1, 2, 3, 5, 8]),
    out: groups * r.pick([1, 2, 3, 7, 16, 33]),
    ...(r.chance(0.8) ? { batch: r.int(1, 3) } : {}),
    bias: r.chance(0.5),
    type: r.pick(['float32', 'float32', 'float64', 'float16']),
    options,
    seed: r.int(1, 1e9),
  };
}

/** Products that one output sums, at most. */
export const convProducts = (p: ConvPlan): number =>
  p.axes.reduce(
    (k, a) => k * (a.outStep === 1 ? a.kernel : Math.ceil(a.kernel / a.stride) + 1),
    p.inChannels,
  ) + 1;

/**
 * Mistakes that both convolutions refuse; `call` runs one on a 2-channel 4 × 4 image with a 3 × 3 kernel to 4 channels, whose
 * weights have these dims.
 */
export function convErrors(
  call: (options: unknown, input?: unknown, weight?: unknown) => () => unknown,
  weightDims: readonly number[],
): ErrorCase[] {
  const input = tensor([1, 2, 4, 4], new Array(32).fill(1));
  return [
    { name: 'zero stride', call: call({ stride: 0 }), code: OPTION, message: /stride must be .*got 0/ },
    {
      name: 'negative padding',
      call: call({ padding: -1 }),
      code: OPTION,
      message: /padding must be .*got -1/,
    },
    { name: 'zero dilation', call: call({ dilation: [1, 0] }), code: OPTION, message: /dilation must be/ },
    {
      name: 'groups that do not divide',
      call: call({ groups: 3 }),
      code: OPTION,
      message: /groups must divide/,
    },
    {
      name: 'bias of wrong length',
      call: call({ bias: tensor([3], [1, 2, 3]) }),
      code: SHAPE,
      message: /bias.dims must be \[4\]/,
    },
    {
      name: 'bias of another type',
      call: call({ bias: { data: new Float64Array(4), dims: [4] } }),
      code: TYPE,
      message: /bias.type must be float32/,
    },
    {
      name: 'weight of rank 3',
      call: call({}, input, tensor(weightDims.slice(0, 3), new Array(24).fill(1))),
      code: SHAPE,
      message: /weight.dims must be 4 extents/,
    },
    {
      name: 'empty kernel',
      call: call({}, input, tensor([...weightDims.slice(0, 2), 0, 3], [])),
      code: SHAPE,
      message: /weight.dims must be positive extents/,
    },
    {
      name: 'input of rank 2',
      call: call({}, tensor([4, 4], new Array(16).fill(1))),
      code: SHAPE,
      message: /input.dims must be 4 extents/,
    },
    { name: 'empty axis', call: call({}, tensor([1, 2, 0, 4], [])), code: SHAPE, message: /no empty axis/ },
    {
      name: 'integers',
      call: call({}, input, { data: new Int32Array(72), dims: weightDims }),
      code: TYPE,
      message: /weight.type must be one of/,
    },
    {
      name: 'two types',
      call: call({}, { data: new Float64Array(32), dims: [1, 2, 4, 4] }),
      code: TYPE,
      message: /input.type must be float32/,
    },
    {
      name: 'unknown layout',
      call: call({ layout: 'chwn' }),
      code: OPTION,
      message: /layout must be one of/,
    },
  ];
}

const OPTION = 'ERR_UPSAMPLING_OPTION';
const SHAPE = 'ERR_UPSAMPLING_SHAPE';
const TYPE = 'ERR_UPSAMPLING_TYPE';
