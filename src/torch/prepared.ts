/** Operators whose weights are packed once: what prepareConv2d and its relatives return. */
import { knownOptions } from '../check.js';
import { refuse } from '../errors.js';
import {
  type AsyncOptions,
  type Call,
  firstOf,
  packWeights,
  type RunOptions,
  run,
  runSync,
} from '../execute.js';
import type { ConvPlan } from '../plan/conv2d.js';
import { asTensor, type Tensor, type TensorLike, type TypedArray } from '../tensor.js';

export interface PreparedOptions {
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

/**
 * A convolution whose weights were copied and packed for this machine's kernels. Calls may overlap; a call that runs while
 * dispose() is called ends as if it had not been.
 */
export interface PreparedConvolution {
  /** Bytes of packed weights; 0 after dispose(). */
  readonly bytes: number;
  run(input: TensorLike, options?: PreparedOptions & AsyncOptions): Promise<Tensor>;
  runSync(input: TensorLike, options?: PreparedOptions & RunOptions): Tensor;
  /** Dims of the result for an input of these dims. */
  outputDims(dims: readonly number[]): number[];
  /** Lets the packed weights go; using the operator afterwards is an error. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** What a prepared operator is made of. */
export interface Preparation {
  readonly op: string;
  /** The geometry for an input; refuses inputs that do not fit. */
  readonly plan: (x: Pick<Tensor, 'type' | 'dims'>) => ConvPlan;
  /** Any input that fits. */
  readonly sample: Pick<Tensor, 'type' | 'dims'>;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  /** The weights of a plan depend on the extents of the input. */
  readonly foldings?: boolean;
}

const OPTIONS = ['out', 'threads', 'signal'];

export function prepared(p: Preparation): PreparedConvolution {
  const { op } = p;
  let inputs: TypedArray[] = p.bias === undefined ? [p.weight.data] : [p.weight.data, p.bias.data];
  if (p.foldings) inputs = inputs.map((a) => a.slice());
  const sample = p.plan(p.sample);
  let packed: TypedArray | undefined = packWeights(op, sample, inputs);
  /** By folding, where there are several. */
  const foldings = new Map<string, TypedArray>();
  if (p.foldings) foldings.set(foldingOf(sample), packed);
  else inputs = [];
  let last: ConvPlan | undefined;
  let lastDims: readonly number[] = [];
  const alive = (): TypedArray => {
    if (packed === undefined)
      refuse(op, '', 'a prepared operator must not be used after dispose()', 'ERR_UPSAMPLING_ARGUMENT');
    return packed;
  };
  const planOf = (x: Pick<Tensor, 'type' | 'dims'>): ConvPlan => {
    if (last === undefined || last.type !== x.type || !sameDims(lastDims, x.dims)) {
      const plan = p.plan(x);
      if (p.foldings) {
        const key = foldingOf(plan);
        packed = foldings.get(key) ?? packWeights(op, plan, inputs);
        foldings.set(key, packed);
      }
      last = { ...plan, packed: true };
      lastDims = x.dims.slice();
    }
    return last;
  };
  const describe = (
    input: TensorLike,
    options: (PreparedOptions & AsyncOptions) | undefined,
  ): Call<Tensor> => {
    alive();
    knownOptions(op, options, OPTIONS);
    const x = asTensor(op, 'input', input);
    const plan = planOf(x);
    return {
      op,
      kernel: plan.op,
      plan,
      inputs: [x.data, alive()],
      outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: options?.out }],
      options,
      finish: firstOf,
    };
  };
  const dispose = (): void => {
    packed = undefined;
    foldings.clear();
    inputs = [];
    last = undefined;
  };
  return {
    get bytes() {
      if (!p.foldings) return packed?.byteLength ?? 0;
      return [...foldings.values(), ...inputs].reduce((n, a) => n + a.byteLength, 0);
    },
    run: (input, options) => run(() => describe(input, options)),
    runSync: (input, options) => runSync(describe(input, options)),
    outputDims: (dims) => {
      alive();
      return p.plan({ type: p.weight.type, dims: dims as number[] }).outDims.slice();
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** What the packed weights of a plan depend on: everything of its passes but where they begin and end. */
const foldingOf = (plan: ConvPlan): string =>
  JSON.stringify(
    plan.axes.map((a) =>
      a.passes.map((s, i) => [
        a.passes.findIndex((t) => t.begin === s.begin && t.end === s.end) - i,
        Array.from(s.offsets),
        Array.from(s.phases),
        Array.from(s.first),
        Array.from(s.kernel),
        Array.from(s.coefficient),
      ]),
    ),
  );

function sameDims(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
