/** Finds, loads and types the .node file; explains a failure. The only file that knows where the addon is. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { OpName } from '../backend.js';
import { ArgumentError, mustBe } from '../errors.js';
import { chooseThreads } from './threads.js';

/**
 * An operator of the addon: (plan, threads, job, …arrays) → status. `job` 0 computes now; otherwise the call is queued
 * under that number and the status is 0. Arrays are inputs first, then outputs.
 */
export type AddonCall = (plan: Float64Array, threads: number, job: number, ...arrays: unknown[]) => number;

/** Everything the .node file exports. */
export type Addon = { readonly [K in OpName]: AddonCall } & {
  /** Called once per environment; `done` gets flat pairs (job, status) of jobs that ended. */
  connect(done: (pairs: Float64Array) => void): void;
  /** Asks a job to stop. A queued one ends at once, a running one at its next block. */
  cancel(job: number): void;
  /** Asks the system for huge pages under a large fresh result. */
  adviseHugePages(array: unknown): void;
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
