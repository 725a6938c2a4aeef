/** How many threads a call may use by default: what the process may really run on, or what the user says. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { posix } from 'node:path';

/** A thread count and where it comes from. */
export interface ThreadChoice {
  readonly threads: number;
  readonly why: string;
}

/** UPSAMPLING_THREADS, else OMP_NUM_THREADS, else min(cores by affinity, cgroup quota), at least 1. */
export function chooseThreads(env: Readonly<Record<string, string | undefined>> = process.env): ThreadChoice {
  for (const name of ['UPSAMPLING_THREADS', 'OMP_NUM_THREADS']) {
    // OMP_NUM_THREADS may be a list, one number per nesting level; there is one level here.
    const n = Number.parseInt(env[name] ?? '', 10);
    if (n >= 1) return { threads: Math.min(n, 1024), why: `${name}=${env[name]}` };
  }
  const cores = availableParallelism();
  const quota = cgroupQuota();
  const threads = Math.max(1, Math.floor(Math.min(cores, quota) + 1e-9));
  return { threads, why: quota < cores ? `cgroup quota of ${quota} CPUs` : `${cores} CPUs by affinity` };
}

/** CPUs that the cgroup (v2 or v1) of this process may use, Infinity without a limit. Node 20 does not look at it. */
export function cgroupQuota(read: (file: string) => string | undefined = readText): number {
  let quota = Infinity;
  const lines = (read('/proc/self/cgroup') ?? '').trim().split('\n');
  /** Every group above ours limits it too. */
  const walk = (root: string, path: string, limit: (folder: string) => number) => {
    for (let p = posix.join('/', path); ; p = posix.dirname(p)) {
      const q = limit(posix.join(root, p));
      if (q > 0) quota = Math.min(quota, q);
      if (p === '/') return;
    }
  };
  for (const line of lines) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    if (controllers === '') {
      for (const root of ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'])
        walk(root, path, (folder) => {
          const [limit, period] = (read(`${folder}/cpu.max`) ?? 'max 1').trim().split(/\s+/);
          return limit === 'max' ? 0 : Number(limit) / Number(period);
        });
    } else if (controllers.split(',').includes('cpu')) {
      for (const root of [
        `/sys/fs/cgroup/${controllers}`,
        '/sys/fs/cgroup/cpu',
        '/sys/fs/cgroup/cpu,cpuacct',
      ])
        walk(root, path, (folder) => {
          const limit = Number(read(`${folder}/cpu.cfs_quota_us`) ?? 0);
          const period = Number(read(`${folder}/cpu.cfs_period_us`) ?? 0);
          return limit > 0 && period > 0 ? limit / period : 0;
        });
    }
  }
  return quota;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
