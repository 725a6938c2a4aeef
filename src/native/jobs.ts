/** Asynchronous calls of the addon: numbers them, keeps what they use alive, cancels them and takes their results. */
import type { OpName } from '../backend.js';
import type { TypedArray } from '../tensor.js';
import { type Addon, addon } from './addon.js';
import { failure, packPlan } from './backend.js';

/** Who waits for a job. */
export interface Waiting {
  /** Times in nanoseconds. */
  readonly resolve: (queued: number, run: number) => void;
  /** With the signal's reason or a BackendFailure. */
  readonly reject: (reason: unknown) => void;
}

interface Job extends Waiting {
  /** The memory that the job reads and writes. */
  readonly keep: readonly unknown[];
  readonly signal: AbortSignal | undefined;
}

/** Results handed over in one turn of the event loop. */
const BATCH = 1024;

/** Calls on so little memory are looked for, in so many turns without a result. */
const POLLED_BYTES = 64 * 1024;
const POLLED_TURNS = 12;

/**
 * The jobs of one instance of the addon. It stands on the addon's own exports, because this file may be evaluated more than
 * once for them (test runners reset their module registry).
 */
class Jobs {
  readonly #api: Addon;
  readonly #quads = new Float64Array(4 * BATCH);
  readonly #jobs: (Job | undefined)[] = [];
  readonly #free: number[] = [];
  #pending = 0;
  #polling = false;
  #idleTurns = 0;
  readonly #poll = () => this.#look();
  readonly #watched = new WeakMap<AbortSignal, { readonly ids: Set<number>; readonly abort: () => void }>();

  constructor(api: Addon) {
    this.#api = api;
    api.connect((count, more) => this.#settle(count, more), this.#quads);
  }

  start(
    op: OpName,
    words: Float64Array,
    threads: number,
    arrays: readonly TypedArray[],
    signal: AbortSignal | undefined,
    waiting: Waiting,
  ): void {
    const id = this.#free.pop() ?? this.#jobs.length;
    this.#jobs[id] = {
      resolve: waiting.resolve,
      reject: waiting.reject,
      keep: [words, arrays],
      signal,
    };
    const status = this.#api[op](words, threads, id + 1, ...arrays);
    this.#pending++;
    if (status !== undefined) {
      this.#take(id);
      throw failure(status);
    }
    if (signal !== undefined) this.#watch(signal, id);
    let bytes = 0;
    for (const a of arrays) bytes += a.byteLength;
    if (!this.#polling && bytes < POLLED_BYTES) {
      this.#polling = true;
      this.#idleTurns = 0;
      this.#api.deliver(true);
      setImmediate(this.#poll);
    }
  }

  /**
   * A tiny call ends before the event loop would have gone to sleep, and waking it takes several times as long as the call: so for
   * a few turns of the loop results are looked for instead.
   */
  #look(): void {
    const before = this.#pending;
    this.#polling = before > 0 && this.#idleTurns < POLLED_TURNS;
    this.#api.deliver(this.#polling);
    this.#idleTurns = this.#pending < before ? 0 : this.#idleTurns + 1;
    if (this.#polling) setImmediate(this.#poll);
  }

  #take(id: number): Job {
    this.#pending--;
    const job = this.#jobs[id]!;
    this.#jobs[id] = undefined;
    this.#free.push(id);
    if (job.signal !== undefined) this.#unwatch(job.signal, id);
    return job;
  }

  #settle(count: number, more: boolean): void {
    // The rest in another turn of the loop, which looks by itself while it polls.
    if (more && !this.#polling) setImmediate(() => this.#api.deliver(this.#polling));
    const quads = this.#quads;
    for (let i = 0; i < 4 * count; i += 4) {
      const job = this.#take(quads[i]!);
      const status = quads[i + 1]!;
      if (job.signal?.aborted) job.reject(job.signal.reason);
      else if (status === 0) job.resolve(quads[i + 2]!, quads[i + 3]!);
      else job.reject(failure(status));
    }
  }

  /** One listener per signal, however many calls it is given to: hundreds of listeners make Node print a warning. */
  #watch(signal: AbortSignal, id: number): void {
    let watch = this.#watched.get(signal);
    if (watch === undefined) {
      const ids = new Set<number>();
      watch = { ids, abort: () => this.#abort(ids) };
      this.#watched.set(signal, watch);
    }
    if (watch.ids.size === 0) signal.addEventListener('abort', watch.abort, { once: true });
    watch.ids.add(id);
  }

  #unwatch(signal: AbortSignal, id: number): void {
    const watch = this.#watched.get(signal);
    if (watch?.ids.delete(id) && watch.ids.size === 0) signal.removeEventListener('abort', watch.abort);
  }

  #abort(ids: Set<number>): void {
    // Newest first, so that no queued call takes the place of a running one that was stopped.
    for (const id of [...ids].reverse()) {
      // A running job ends soon and is delivered like any other.
      if (!this.#api.cancel(id)) continue;
      const job = this.#take(id);
      job.reject(job.signal!.reason);
    }
  }
}

const JOBS = Symbol.for('upsampling.jobs');

/** Queues a call. Throws a BackendFailure when there is no memory to queue it. */
export function startNative(
  op: OpName,
  plan: object,
  inputs: readonly TypedArray[],
  outputs: readonly TypedArray[],
  threads: number,
  signal: AbortSignal | undefined,
  waiting: Waiting,
): void {
  const api = addon() as Addon & { [JOBS]?: Jobs };
  api[JOBS] ??= new Jobs(api);
  api[JOBS].start(op, packPlan(op, plan), threads, [...inputs, ...outputs], signal, waiting);
}
