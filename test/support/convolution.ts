/** What the cases of the convolution family share. */
import type { ConvPlan } from '../../src/plan/conv2d.js';
import { reference } from '../../src/reference/index.js';
import type { DataType, TypedArray } from '../../src/tensor.js';
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

/** Few positions, whose windows hang over every border, or that are spread beyond it: weights are read as they came. */
export const fewPositions = (
  layout: string,
  c: Pick<ConvCase, 'out' | 'kernel' | 'options'>,
  deep: Partial<ConvCase>,
): ConvCase[] =>
  [{}, { weightFill: 'special' as const }, deep].map((more) => ({
    batch: 2,
    image: [2, 3],
    in: 32,
    bias: true,
    ...c,
    ...more,
    options: { layout, ...c.options },
  }));

/** Batches of planes so small that most taps of some positions only read padding; of many channels, or depthwise. */
export const smallPlanes = (
  layout: string,
  cases: readonly (Pick<ConvCase, 'image' | 'kernel' | 'options'> & { groups?: number })[],
): ConvCase[] =>
  cases.map(({ groups = 1, options, ...c }) => ({
    ...c,
    batch: 20,
    in: groups > 1 ? groups : 33,
    out: 37,
    bias: true,
    options: { layout, groups, ...options },
  }));

const fill = (f: TensorSpec['fill'] | undefined) => (f === undefined ? {} : { fill: f });

/** What a random case draws from. */
interface Ranges {
  readonly ranks: readonly number[];
  readonly image: (axis: number, rank: number) => number;
  readonly batch: number;
  readonly groups: readonly number[];
  readonly in: readonly number[];
  readonly out: readonly number[];
  readonly dilation: number;
}

/** Of any rank; with long rows, far taps or both; of many channels; and of groups of few. */
const RANGES: readonly Ranges[] = [
  {
    ranks: [1, 2, 2, 2, 3],
    image: (_, rank) => [80, 24, 7][rank - 1]!,
    batch: 3,
    groups: [1, 1, 1, 2, 3],
    in: [1, 2, 3, 5, 8],
    out: [1, 2, 3, 7, 16, 33],
    dilation: 3,
  },
  {
    ranks: [2],
    image: (axis) => [8, 200][axis]!,
    batch: 4,
    groups: [1],
    in: [1, 2, 3, 4, 12],
    out: [1, 2, 3, 6, 9, 17],
    dilation: 20,
  },
  {
    ranks: [2],
    image: () => 20,
    batch: 9,
    groups: [1],
    in: [8, 16, 33, 64],
    out: [3, 8, 21, 64],
    dilation: 6,
  },
  {
    ranks: [2],
    image: () => 40,
    batch: 3,
    groups: [4, 8, 12, 21, 32, 40],
    in: [1, 1, 2, 4],
    out: [1, 1, 2, 3, 4, 16],
    dilation: 4,
  },
];

/** Products of a case at most, so that the reference is not what a test waits for. */
const MOST = 1e6;

/** A case of any rank, shape and type. */
export function randomConv(r: Random, transposed: boolean): ConvCase {
  const ranges = r.pick(RANGES);
  for (;;) {
    const c = draw(r, transposed, ranges);
    const pixels = c.image.reduce((a, b) => a * b, c.batch ?? 1);
    const groups = c.options!.groups as number;
    if ((pixels * c.kernel.reduce((a, b) => a * b, 1) * c.in * c.out) / groups <= MOST) return c;
  }
}

function draw(r: Random, transposed: boolean, ranges: Ranges): ConvCase & { batch?: number } {
  const rank = r.pick(ranges.ranks);
  const per = (f: () => number) => Array.from({ length: rank }, f);
  const groups = r.pick(ranges.groups);
  const kernel = per(() => r.int(1, rank === 3 ? 3 : 5));
  const stride = per(() => r.int(1, 3));
  const dilation = per(() => (r.chance(0.3) ? r.int(1, ranges.dilation) : 1));
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
    return Math.max(1, least) + r.int(0, ranges.image(i, rank));
  });
  return {
    image,
    kernel,
    in: groups * r.pick(ranges.in),
    out: groups * r.pick(ranges.out),
    ...(r.chance(0.8) ? { batch: r.int(1, ranges.batch) } : {}),
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

/** Whether the addon may compute a plan by Winograd's algorithm, if the input is large enough. */
const mixes = (p: ConvPlan): boolean =>
  p.type !== 'float64' &&
  p.axes.length === 2 &&
  p.inChannels >= 8 &&
  p.outChannels >= 3 &&
  p.axes.every(
    (a) => a.inStep === 1 && a.outStep <= 2 && a.passes.some((s) => [2, 3].includes(s.offsets.length)),
  );

/** The largest finite number of each plane within five pixels: more than a tile of Winograd's. */
function nearby(p: ConvPlan, x: Float64Array): Float64Array {
  const [h, w] = p.axes.map((a) => a.inSize) as [number, number];
  const channels = p.layout === 'nhwc' ? p.groups * p.inChannels : 1;
  let from = x.map((v) => (Number.isFinite(v) ? v : 0));
  for (const [step, size] of [
    [channels, w],
    [channels * w, h],
  ] as const) {
    const to = new Float64Array(x.length);
    for (let i = 0; i < x.length; i++) {
      const at = Math.floor(i / step) % size;
      for (let k = Math.max(0, at - 5); k <= Math.min(size - 1, at + 5); k++)
        to[i] = Math.max(to[i]!, from[i + (k - at) * step]!);
    }
    from = to;
  }
  return from;
}

/** Σ|w·x|, x being the largest nearby where Winograd's algorithm mixes a tile. */
export function convMagnitude(plan: ConvPlan, inputs: readonly TypedArray[]): Float64Array {
  const [x, ...rest] = inputs.map((a) => Float64Array.from(a as Float64Array, Math.abs));
  const out = new Float64Array(plan.outDims.reduce((a, b) => a * b, 1));
  const run = reference[plan.op] as (p: ConvPlan, i: TypedArray[], o: TypedArray[]) => void;
  run({ ...plan, type: 'float64' }, [mixes(plan) ? nearby(plan, x!) : x!, ...rest], [out]);
  return out;
}

/** Cases that are large enough for Winograd's algorithm on every instruction set: layers of 3×3, stride 1. */
export function winogradCases(layout: string): ConvCase[] {
  const small = { kernel: [3, 3], bias: true } as const;
  const cases: ConvCase[] = [
    { ...small, image: [21, 37], in: 40, out: 35 },
    { ...small, image: [8, 141], in: 20, out: 20, options: { padding: 0 } },
    { ...small, image: [40, 64], in: 12, out: 6 },
    { ...small, image: [22, 36], in: 40, out: 35, type: 'float16', options: { padding: 2 } },
    // Rows shorter than a vector of tiles, more channels than a part of them, groups.
    { ...small, batch: 8, image: [6, 7], in: 32, out: 40, options: { padding: 1 } },
    { ...small, batch: 8, image: [6, 7], in: 32, out: 40, type: 'float16' },
    { ...small, image: [14, 26], in: 150, out: 24, bias: false },
    { ...small, image: [14, 26], in: 20, out: 150 },
    { ...small, batch: 2, image: [25, 33], in: 64, out: 64, options: { groups: 2 } },
    // What a tile mixes: no NaN, no infinity and no overflow where the window has none.
    { ...small, image: [22, 37], in: 40, out: 35, fill: 'spikes' },
    { ...small, image: [22, 37], in: 40, out: 35, fill: 'stray' },
    { ...small, image: [22, 37], in: 40, out: 35, fill: 'huge' },
  ];
  return cases.map((c) => ({ batch: 1, ...c, options: { padding: 1, ...c.options, layout } }));
}
