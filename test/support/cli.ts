/** The command line as its users run it: a process of its own, on dist/. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly bytes: Buffer;
  readonly err: string;
}

/** Runs `upsampling …words`. */
export function upsampling(
  words: readonly string[],
  options: { cwd?: string; input?: Uint8Array; env?: Record<string, string>; node?: readonly string[] } = {},
): Outcome {
  const r = spawnSync(process.execPath, [...(options.node ?? []), MAIN, ...words], {
    cwd: options.cwd,
    input: options.input ?? '',
    env: { ...process.env, ...options.env },
    maxBuffer: 1 << 28,
  });
  return { code: r.status, out: r.stdout.toString(), bytes: r.stdout, err: r.stderr.toString() };
}

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'upsampling-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
