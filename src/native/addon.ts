/** Finds, loads and types the .node file; explains a failure. The only file that knows where the addon is. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { OpName } from '../backend.js';
import { ArgumentError, mustBe } from '../errors.js';
import { chooseThreads } from './threads.js';

/**
 * An operator of the addon: (plan, threads, job, …arrays) → the status of a failure. `job` 0 computes now; otherwise the
 * call is queued as job number `job` - 1. Arrays are inputs first, then outputs.
 */
export type AddonCall = (
  plan: Float64Array,
  threads: number,
  job: number,
  ...arrays: unknown[]
) => number | undefined;

/** What the queue of this process has to do and has done; times summed over all ended jobs. */
export interface QueueStats {
  readonly queued: number;
  readonly running: number;
  readonly completed: number;
  readonly cancelled: number;
  readonly failed: number;
  readonly queuedMs: number;
  readonly runMs: number;
}

/** Everything the .node file exports. */
export type Addon = { readonly [K in OpName]: AddonCall } & {
  /**
   * Called once per environment. `done(count, more)` is told of jobs that ended, as quads (job, status, nanoseconds queued,
   * nanoseconds run) in `quads`; where `more` is true, deliver() must be called in a later turn.
   */
  connect(done: (count: number, more: boolean) => void, quads: Float64Array): void;
  /** Delivers what has ended. Until it is called with false, the caller promises to call it again: nothing wakes the loop. */
  deliver(polling: boolean): void;
  /** True: the job was queued, is out of the queue and will not be delivered. False: it runs, is asked to stop and will be. */
  cancel(job: number): boolean;
  /** Counts of the queue of this process. */
  stats(): QueueStats;
  /** Asks the system for huge pages under a large fresh result. */
  adviseHugePages(array: unknown): void;
  /** Bytes that packWeights() fills for a packed plan of the convolution family. */
  packedBytes(plan: Float64Array): number;
  /** (plan, threads, 0, weight, bias if any, packed) */
  packWeights: AddonCall;
  isas(): string[];
  isa(): string;
  /** False when the name is unknown or the CPU lacks it. */
  setIsa(name: string): boolean;
  threads(): number;
  setThreads(n: number): void;
  /** Facts for `doctor`: whether OpenMP was found, CPU features, compiler. */
  facts(): Record<string, string | number | boolean>;
};

/** Where the build puts the addon, from src/native and from dist/native alike; UPSAMPLING_ADDON names another build. */
export const addonPath =
  process.env.UPSAMPLING_ADDON ||
  fileURLToPath(new URL('../../build/Release/upsampling.node', import.meta.url));

let loaded: Addon | undefined;

/** The addon; loaded at the first call. */
export function addon(): Addon {
  loaded ??= configured(load());
  return loaded;
}

function configured(api: Addon): Addon {
  const isa = process.env.UPSAMPLING_ISA;
  if (isa !== undefined && isa !== '' && !api.setIsa(isa))
    mustBe('upsampling', 'UPSAMPLING_ISA', `one of ${api.isas().join(', ')} on this CPU`, isa);
  // Set once per process: a later environment must not undo what setThreads() was told.
  if (api.threads() === 0) api.setThreads(chooseThreads().threads);
  return api;
}

function load(): Addon {
  try {
    return createRequire(import.meta.url)(addonPath) as Addon;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'MODULE_NOT_FOUND'
        ? `there is no file ${addonPath}; build it with: npm run build`
        : code === 'ERR_DLOPEN_DISABLED'
          ? 'addons are disabled in this process (--no-addons, or a permission model without --allow-addons)'
          : `${addonPath} could not be loaded (${message}); build it again with: npm run build`;
    throw new ArgumentError(
      'ERR_UPSAMPLING_ADDON',
      'upsampling',
      '',
      `upsampling: the native addon is missing: ${why}`,
    );
  }
}
