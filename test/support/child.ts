/** Programs of their own for what must not happen to the test runner: exits, crashes, limits. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** The built package, as a child or a worker imports it; `npm test` builds it first. */
export const packageUrl = new URL('../../dist/index.js', import.meta.url).href;

/** Names that every program starts with. */
export const PRELUDE = `
import * as ups from ${JSON.stringify(packageUrl)};
const { interpolate, interpolateSync, runtime } = ups;
const image = (h, w, c = 1) => ({ data: new Float32Array(c * h * w).map((_, i) => Math.sin(i)), dims: [1, c, h, w] });
/** About a tenth of a second of one thread, and about a microsecond. */
const large = image(512, 512, 4), enlarged = { size: [2048, 2048], mode: 'bicubic' };
const tiny = image(2, 2), doubled = { size: [4, 4], mode: 'nearest' };
const sleep = (ms) => new Promise((f) => setTimeout(f, ms));
const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1000; };
const assert = (ok, what) => { if (!ok) throw new Error(what); };
`;

export interface ChildResult {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

export interface ChildOptions {
  /** Arguments of node. */
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Command that starts node, such as ['taskset', '-c', '0']. */
  readonly under?: readonly string[];
  readonly timeout?: number;
}

/** Runs a module that starts with PRELUDE. */
export function child(script: string, options: ChildOptions = {}): ChildResult {
  const began = performance.now();
  const command = [
    ...(options.under ?? []),
    process.execPath,
    ...(options.node ?? []),
    '--input-type=module',
    '--eval',
    PRELUDE + script,
  ];
  const env = { ...process.env, NODE_OPTIONS: undefined, VITEST: undefined, ...options.env };
  const r = spawnSync(command[0]!, command.slice(1), {
    encoding: 'utf8',
    timeout: options.timeout ?? 50_000,
    env: env as NodeJS.ProcessEnv,
    cwd: repository,
  });
  return {
    status: r.status,
    signal: r.signal,
    stdout: r.stdout.trim(),
    stderr: r.stderr.trim(),
    milliseconds: performance.now() - began,
  };
}

/** What a program that ends well returns: nothing on stderr, exit code 0; its stdout. */
export function succeeds(script: string, options: ChildOptions = {}): string {
  const r = child(script, options);
  if (r.status !== 0 || r.stderr !== '')
    throw new Error(
      `exit ${r.status} ${r.signal ?? ''} after ${Math.round(r.milliseconds)} ms\n${r.stdout}\n${r.stderr}`,
    );
  return r.stdout;
}

/** The least of several rounds: what the machine can do when nothing disturbs it. */
export function least(rounds: number, enough: number, measure: () => number): number {
  let best = Infinity;
  for (let i = 0; i < rounds && best > enough; i++) best = Math.min(best, measure());
  return best;
}
