/**
 * From a plan to a result: takes or allocates the outputs, refuses what would write over an input, and calls a
 * backend, now or queued. The only caller of a Backend in production.
 */
import type { Backend, OpName, Plans } from './backend.js';
import { operations, publish } from './diagnostics.js';
import { ArgumentError, mustBe, refuse } from './errors.js';
import { adviseHugePages, native } from './native/backend.js';

export { packWeights } from './native/conv2d.js';

import { BackendFailure } from './native/failure.js';
import { startNative } from './native/jobs.js';
import {
  allocate,
  asTensor,
  type DataType,
  overlap,
  sizeOf,
  type Tensor,
  type TensorLike,
  type TypedArray,
} from './tensor.js';

/** Options of every operator. */
export interface RunOptions {
  /** Number of threads for this call; default `runtime.threads`. */
  readonly threads?: number;
}

/** Options of every asynchronous operator. */
export interface AsyncOptions extends RunOptions {
  /**
   * Cancels: a queued call at once, a running one between blocks of rows. The promise rejects with `signal.reason`; what stands
   * in `out` is then undefined.
   */
  readonly signal?: AbortSignal;
}

/** One result: its type and dims, and the caller's tensor to write it to, if any. */
export interface OutputSpec {
  readonly param: string;
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly out: TensorLike | undefined;
}

/** An operator call, checked and planned; nothing is allocated yet. `K` names the backend function. */
export interface Call<R, K extends OpName = OpName> {
  /** The public name, for messages. */
  readonly op: string;
  readonly kernel: K;
  readonly plan: Plans[K];
  readonly inputs: readonly TypedArray[];
  readonly outputs: readonly OutputSpec[];
  readonly options: AsyncOptions | undefined;
  /** From the results, in the order of `outputs`, to what the operator returns; `firstOf` where it is the only one. */
  readonly finish: (results: Tensor[]) => R;
  /** Words a failure that only the data could show (status ERR_INDEX of native/runtime/context.h). */
  readonly explain?: (position: number) => never;
}

export const firstOf = (results: readonly Tensor[]): Tensor => results[0]!;

/** Computes now, on this thread. */
export function runSync<R>(call: Call<R>): R {
  if ((call.options as { signal?: unknown } | undefined)?.signal !== undefined)
    refuse(call.op, 'signal', 'signal must be left out of a synchronous call, which nothing can interrupt');
  return runOn(native(threadsOf(call)), call);
}

/** Computes now on a given backend. */
export function runOn<R>(backend: Backend, call: Call<R>): R {
  const { results, arrays } = takeOutputs(call);
  const run = backend[call.kernel] as (
    plan: Plans[OpName],
    inputs: readonly TypedArray[],
    outputs: readonly TypedArray[],
  ) => void;
  const began = operations.hasSubscribers ? performance.now() : 0;
  try {
    run(call.plan, call.inputs, arrays);
  } catch (error) {
    throw worded(call, error);
  }
  if (began > 0) publish(call, [...call.inputs, ...arrays], threadsOf(call), 0, performance.now() - began);
  return call.finish(results);
}

/** Arrays that running jobs write to; two jobs with the same `out` would race. */
const writing = new Map<ArrayBufferLike, TypedArray[]>();

/** Plans now, computes on the executor. Mistakes of the caller reject the promise too. */
export function run<R>(describe: () => Call<R>): Promise<R> {
  return new Promise((resolve, reject) => {
    const call = describe();
    const signal = call.options?.signal;
    if (signal !== undefined) {
      if (!(signal instanceof AbortSignal)) mustBe(call.op, 'signal', 'an AbortSignal', signal);
      signal.throwIfAborted();
    }
    const threads = threadsOf(call);
    const { results, arrays } = takeOutputs(call);
    // Only an `out` can be known to two calls.
    const shared = arrays.filter((_, i) => call.outputs[i]!.out !== undefined);
    claim(shared);
    try {
      startNative(call.kernel, call.plan, call.inputs, arrays, threads, signal, {
        resolve: (queued, run) => {
          release(shared);
          if (operations.hasSubscribers)
            publish(call, [...call.inputs, ...arrays], threads, queued / 1e6, run / 1e6);
          try {
            resolve(call.finish(results));
          } catch (error) {
            reject(error);
          }
        },
        reject: (reason) => {
          release(shared);
          reject(worded(call, reason));
        },
      });
    } catch (error) {
      release(shared);
      throw worded(call, error);
    }
  });
}

function threadsOf(call: Call<unknown>): number {
  const threads = call.options?.threads;
  if (threads === undefined) return 0;
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024)
    mustBe(call.op, 'threads', 'an integer from 1 to 1024', threads);
  return threads;
}

function claim(arrays: readonly TypedArray[]): void {
  for (const a of arrays) {
    const others = writing.get(a.buffer);
    if (others === undefined) writing.set(a.buffer, [a]);
    else others.push(a);
  }
}

function release(arrays: readonly TypedArray[]): void {
  for (const a of arrays) {
    const list = writing.get(a.buffer)!;
    list.splice(list.indexOf(a), 1);
    if (list.length === 0) writing.delete(a.buffer);
  }
}

/** Whether a call that has not ended writes to this memory. */
export function isBeingWritten(a: TypedArray): boolean {
  return writing.get(a.buffer)?.some((b) => overlap(a, b)) === true;
}

function refuseWritten(op: string, a: TypedArray): void {
  if (isBeingWritten(a))
    refuse(op, 'out', 'out is being written by a call that has not ended', 'ERR_UPSAMPLING_BUFFER');
}

/** From this size on a result is advised to huge pages: the first fill is five times faster, later ones a fifth. */
const HUGE_PAGES_FROM = 4 * 1024 * 1024;

/** Call before the first write. */
export function adviseLargeResult(array: TypedArray): void {
  if (array.byteLength >= HUGE_PAGES_FROM) adviseHugePages(array);
}

/** The tensors to return (the caller's own `out` where given) and the arrays to fill. Nothing is allocated before all is checked. */
function takeOutputs(call: Call<unknown>): { results: Tensor[]; arrays: TypedArray[] } {
  const { op, outputs } = call;
  const arrays = new Array<TypedArray>(outputs.length);
  const results = new Array<Tensor>(outputs.length);
  for (let i = 0; i < outputs.length; i++) {
    const { out } = outputs[i]!;
    if (out === undefined) continue;
    const a = checkOut(call, outputs[i]!, out);
    if (writing.size > 0) refuseWritten(op, a);
    for (let j = 0; j < i; j++)
      if (outputs[j]!.out !== undefined && overlap(a, arrays[j]!))
        refuse(op, 'out', 'the tensors of out must not share memory', 'ERR_UPSAMPLING_BUFFER');
    arrays[i] = a;
    results[i] = out as Tensor;
  }
  for (let i = 0; i < outputs.length; i++) {
    const { out, type, dims } = outputs[i]!;
    if (out === undefined) {
      const fresh = allocate(op, type, dims);
      arrays[i] = fresh.data;
      results[i] = fresh;
    }
    adviseLargeResult(arrays[i]!);
  }
  return { results, arrays };
}

/** Types that a bare array does not say: bytes may be bool, 16-bit words may be float16. */
const BARE: Readonly<Record<string, string>> = { bool: 'Uint8Array', float16: 'Uint16Array' };

function checkOut(call: Call<unknown>, spec: OutputSpec, out: TensorLike): TypedArray {
  const { op, inputs } = call;
  const { param, type, dims } = spec;
  if (out === null || typeof out !== 'object')
    mustBe(op, param, 'a tensor { data, dims }', out, 'ERR_UPSAMPLING_ARGUMENT');
  const bare = out.type === undefined && (type === 'bool' || type === 'float16');
  const says = bare && (out.data as object)?.constructor?.name === BARE[type] ? type : out.type;
  const whole = out.dims === undefined || says !== out.type;
  const t = asTensor(op, param, whole ? { data: out.data, dims: out.dims ?? dims, type: says } : out);
  if (t.type !== type)
    refuse(op, param, `${param} must be of type ${type}, got ${t.type}`, 'ERR_UPSAMPLING_TYPE');
  const size = sizeOf(op, param, dims);
  let fits = t.dims.length === dims.length;
  for (let i = 0; fits && i < dims.length; i++) fits = t.dims[i] === dims[i];
  if (!fits)
    refuse(
      op,
      param,
      `${param} must have dims [${dims.join(', ')}], got [${t.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const data = t.data.length === size ? t.data : (t.data.subarray(0, size) as TypedArray);
  const { buffer } = data;
  for (let i = 0; i < inputs.length; i++)
    if (inputs[i]!.buffer === buffer && overlap(data, inputs[i]!))
      refuse(op, param, `${param} must not share memory with an input`, 'ERR_UPSAMPLING_BUFFER');
  return data;
}

/** A failure that the backend reported, in the caller's words. */
function worded(call: Call<unknown>, error: unknown): unknown {
  if (error instanceof BackendFailure) {
    if (error.kind === 'index' && call.explain !== undefined) {
      try {
        call.explain(error.detail);
      } catch (explained) {
        return explained;
      }
    }
    if (error.kind === 'memory')
      return new ArgumentError(
        'ERR_UPSAMPLING_MEMORY',
        call.op,
        '',
        `${call.op}: the working memory of the operator could not be allocated`,
      );
  }
  return error;
}
