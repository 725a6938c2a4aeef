/** What the cases of the convolution family share. */
import type { ConvPlan } from '../../src/plan/conv2d.js';
import type { DataType } from '../../src/tensor.js';
import type { Args } from './operator.js';
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
