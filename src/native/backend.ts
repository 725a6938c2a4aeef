/** The Backend that the addon is, and its asynchronous form. */
import { type Backend, BackendFailure, type OpName, type Plans } from '../backend.js';
import type { TypedArray } from '../tensor.js';
import { addon } from './addon.js';
import { packAvgPool2d } from './avg-pool2d.js';
import { packInterpolate } from './interpolate.js';
import { packMaxPool2d } from './max-pool2d.js';
import { packMaxUnpool2d } from './max-unpool2d.js';
import { packPixelShuffle } from './pixel-shuffle.js';
import { packPixelUnshuffle } from './pixel-unshuffle.js';

const PACKERS: { readonly [K in OpName]: (plan: Plans[K]) => Float64Array } = {
  avgPool2d: packAvgPool2d,
  interpolate: packInterpolate,
  maxPool2d: packMaxPool2d,
  maxUnpool2d: packMaxUnpool2d,
  pixelShuffle: packPixelShuffle,
  pixelUnshuffle: packPixelUnshuffle,
};

const packed = new WeakMap<object, Float64Array>();

function packPlan(op: OpName, plan: object): Float64Array {
  let p = packed.get(plan);
  if (p === undefined) {
    p = (PACKERS[op] as (plan: object) => Float64Array)(plan);
    packed.set(plan, p);
  }
  return p;
}

/** Status codes of native/runtime/context.h; the detail stands above the low four bits. */
const CANCELLED = 1;
const OUT_OF_MEMORY = 2;

function failure(status: number): BackendFailure {
  const code = status % 16;
  return new BackendFailure(code === OUT_OF_MEMORY ? 'memory' : 'index', Math.floor(status / 16));
}

function backendWith(threads: number): Backend {
  const entries = (Object.keys(PACKERS) as OpName[]).map((op) => [
    op,
    (plan: object, inputs: readonly TypedArray[], outputs: readonly TypedArray[]) => {
      const status = addon()[op](packPlan(op, plan), threads, 0, ...inputs, ...outputs);
      if (status !== 0) throw failure(status);
    },
  ]);
  return Object.fromEntries(entries) as Backend;
}

const backends = new Map<number, Backend>();

/** The addon as a Backend that uses up to `threads` threads (0: as many as runtime.threads). */
export function native(threads: number): Backend {
  let b = backends.get(threads);
  if (b === undefined) {
    b = backendWith(threads);
    backends.set(threads, b);
  }
  return b;
}

/** Asks for huge pages under a large result that nobody has written to yet. */
export function adviseHugePages(array: TypedArray): void {
  addon().adviseHugePages(array);
}

interface Pending {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  /** Keeps the memory that the job reads and writes alive. */
  readonly keep: readonly unknown[];
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
}

const pending = new Map<number, Pending>();
let lastJob = 0;
let connected = false;

function settle(pairs: Float64Array): void {
  for (let i = 0; i < pairs.length; i += 2) {
    const job = pending.get(pairs[i]!);
    if (job === undefined) continue;
    pending.delete(pairs[i]!);
    if (job.onAbort !== undefined) job.signal!.removeEventListener('abort', job.onAbort);
    const status = pairs[i + 1]!;
    if (status === 0) job.resolve();
    else job.reject(status % 16 === CANCELLED ? job.signal!.reason : failure(status));
  }
}

/** Queues a call on the executor thread. Rejects with the signal's reason or a BackendFailure. */
export function startNative(
  op: OpName,
  plan: object,
  inputs: readonly TypedArray[],
  outputs: readonly TypedArray[],
  threads: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const api = addon();
  if (!connected) {
    api.connect(settle);
    connected = true;
  }
  const id = ++lastJob;
  const arrays = [...inputs, ...outputs];
  const words = packPlan(op, plan);
  return new Promise((resolve, reject) => {
    api[op](words, threads, id, ...arrays);
    const onAbort = signal === undefined ? undefined : () => api.cancel(id);
    pending.set(id, { resolve, reject, keep: [words, arrays], signal, onAbort });
    if (onAbort !== undefined) signal!.addEventListener('abort', onAbort, { once: true });
  });
}
