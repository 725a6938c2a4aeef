/**
 * An operator under test is data: how to call it, samples, random samples, and inputs that must be refused. The generic
 * tests (parity, isa-consistency, errors) consume every operator of test/ops/index.ts.
 */
import type { OpName, Plans } from '../../src/backend.js';
import type { Call } from '../../src/execute.js';
import type { Tensor, TensorLike, TypedArray } from '../../src/tensor.js';
import type { Random } from './random.js';
import { makeTensor, type TensorSpec } from './tensors.js';

/**
 * Which error is allowed, as DESIGN says:
 * exact: the same bits as the reference (any NaN equals any NaN).
 * interpolation: |got − exact| ≤ (taps + 2)·u·Σ|w·x| before one rounding to the element type; same bits on every
 *   instruction set and thread count.
 * reduction: |got − exact| ≤ (K + 2)·u·Σ|w·x| with K products; same bits at any thread count.
 */
export type Family = 'exact' | 'interpolation' | 'reduction';

/** One case: tensors by their seeds and plain options. JSON of it reruns it. */
export interface Args {
  readonly tensors: readonly TensorSpec[];
  readonly options: Readonly<Record<string, unknown>>;
}

export interface ErrorCase {
  readonly name: string;
  /** Calls the operator in a way that must throw. */
  readonly call: () => unknown;
  readonly code: string;
  /** Part of the message: the parameter, what was expected and what came. */
  readonly message: RegExp;
}

export interface Operator<K extends OpName = OpName> {
  /** The public name. */
  readonly name: string;
  readonly kernel: K;
  /** Checks and plans a call, as the public function does before it runs. */
  readonly describe: (tensors: Tensor[], options: Readonly<Record<string, unknown>>) => Call<unknown, K>;
  readonly family: (args: Args) => Family;
  /** Few, small, typical; every mode and every border. */
  readonly samples: () => Args[];
  /** One more from a seed. */
  readonly random: (r: Random) => Args;
  /** How many random cases the parity test draws (default 150). */
  readonly draws?: number;
  /** The plan with absolute weights, for error bounds; the plan itself where weights are inputs. */
  readonly absolute?: (plan: Plans[K]) => Plans[K];
  /** An upper bound of Σ|w·x| per output, where absolute inputs would not give one: inputs as float64. */
  readonly magnitude?: (plan: Plans[K], inputs: readonly TypedArray[]) => Float64Array;
  /** The number of products that one output element sums, for error bounds. */
  readonly products?: (plan: Plans[K]) => number;
  /**
   * For operators whose outputs no family describes: what is wrong with `outputs`, or nothing. Replaces the comparison with
   * the reference's outputs.
   */
  readonly judge?: (call: Call<unknown, K>, outputs: readonly TypedArray[]) => string | undefined;
  readonly errors: readonly ErrorCase[];
}

export function defineOp<K extends OpName>(op: Operator<K>): Operator<K> {
  return op;
}

/** The checked and planned call of a case; tensors are made anew. */
export function callOf(op: Operator, args: Args): Call<unknown> {
  return op.describe(args.tensors.map(makeTensor), args.options);
}

/** A tensor literal for tests that spell out their numbers. */
export function tensor(
  dims: readonly number[],
  values: readonly number[],
): TensorLike & { data: Float32Array } {
  return { data: Float32Array.from(values), dims, type: 'float32' };
}

/** Everything that lists can combine to. */
export function product<T extends Record<string, readonly unknown[]>>(
  lists: T,
): { [K in keyof T]: T[K][number] }[] {
  let out: Record<string, unknown>[] = [{}];
  for (const [key, values] of Object.entries(lists))
    out = out.flatMap((o) => values.map((v) => ({ ...o, [key]: v })));
  return out as { [K in keyof T]: T[K][number] }[];
}
