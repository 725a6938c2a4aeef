/** What the machine offers and how much of it is used. */
import { createRequire } from 'node:module';
import { mustBe } from './errors.js';
import { addon, type QueueStats } from './native/addon.js';

const packageVersion = (createRequire(import.meta.url)('../package.json') as { version: string }).version;

export const runtime = {
  /** The instruction set in use: 'baseline', 'avx2' or 'avx512'. Set by UPSAMPLING_ISA or `setIsa`; default the best. */
  get isa(): string {
    return addon().isa();
  },
  /** The instruction sets that this CPU can run, worst first. */
  get isas(): string[] {
    return addon().isas();
  },
  /** Forces an instruction set for all calls that follow. Throws for a name that this CPU cannot run. */
  setIsa(name: string): void {
    if (!addon().setIsa(name)) mustBe('runtime.setIsa', 'name', `one of ${addon().isas().join(', ')}`, name);
  },
  /** Threads that a call may use: UPSAMPLING_THREADS, OMP_NUM_THREADS, or what affinity and quota allow. */
  get threads(): number {
    return addon().threads();
  },
  /** Sets `threads` for all calls that follow. */
  setThreads(n: number): void {
    if (!Number.isInteger(n) || n < 1 || n > 1024)
      mustBe('runtime.setThreads', 'n', 'an integer from 1 to 1024', n);
    addon().setThreads(n);
  },
  /** What the queue of asynchronous calls of this process has to do and has done. */
  stats(): QueueStats {
    return addon().stats();
  },
  /** Version of this package. */
  get version(): string {
    return packageVersion;
  },
};
