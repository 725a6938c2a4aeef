/** `upsampling doctor`: what is here and what of it is used. */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { addon, addonPath } from '../native/addon.js';
import { chooseThreads } from '../native/threads.js';
import { runtime } from '../runtime.js';
import type { Command } from './command.js';

export const doctor: Command = {
  summary: 'version, machine, instruction set, threads and why that many',
  help: `Usage: upsampling doctor [--json]

Prints the versions of the package, of Node and of the C library, the CPU and its features, the instruction set and the
number of threads in use and why, where the addon is and whether it found OpenMP. Exit code 1 when the addon cannot be
loaded.

Options:
      --json   as one JSON object
  -h, --help   this text

Examples:
  upsampling doctor
  UPSAMPLING_ISA=avx2 UPSAMPLING_THREADS=1 upsampling doctor
  upsampling doctor --json
`,
  options: { json: { type: 'boolean' } },
  run: async (_, values) => {
    const threads = chooseThreads();
    const facts: Record<string, unknown> = {
      upsampling: runtime.version,
      node: `${process.version} (${process.platform}-${process.arch}, N-API ${process.versions.napi})`,
      libc: libc(),
      cpu: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} usable`,
      'cpu features': features(),
      'addon path': `${addonPath}${existsSync(addonPath) ? '' : ' (no such file)'}`,
    };
    let failure: string | undefined;
    try {
      const native = addon().facts();
      facts['instruction set'] = `${runtime.isa} of ${runtime.isas.join(', ')}`;
      const forced = process.env.UPSAMPLING_ISA;
      if (forced !== undefined && forced !== '') facts['instruction set'] += ` (UPSAMPLING_ISA=${forced})`;
      facts.threads = `${runtime.threads} (${threads.why})`;
      Object.assign(facts, native);
    } catch (error) {
      failure = (error as Error).message;
      facts.threads = `${threads.threads} (${threads.why})`;
      facts.addon = failure;
    }
    if (values.json === true) process.stdout.write(`${JSON.stringify(facts, undefined, 2)}\n`);
    else {
      const width = Math.max(...Object.keys(facts).map((k) => k.length));
      for (const [name, value] of Object.entries(facts))
        process.stdout.write(`${name.padEnd(width)}  ${word(value)}\n`);
    }
    return failure === undefined ? 0 : 1;
  },
};

const word = (value: unknown): string =>
  typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);

function libc(): string {
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  if (header.glibcVersionRuntime !== undefined) return `glibc ${header.glibcVersionRuntime}`;
  return process.platform === 'linux' ? 'not glibc (musl?)' : 'that of the system';
}

/** The vector extensions that the system lists; what of it is used is the addon's to say. */
function features(): string {
  let text = '';
  try {
    text = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return 'not listed by this system';
  }
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/) ?? [];
  return flags.filter((f) => /^(sse4_|avx|fma|f16c|amx|asimd|sve|fphp)/.test(f)).join(' ');
}
