/**
 * One engine in a process of its own: JSON lines on stdin and stdout.
 * init { threads, isa } · prepare { workload } · time { variant, calls } · sample { variant }
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { sample } from './lib/inputs.mjs';

const engine = await import(`./engines/${process.argv[2]}.mjs`);
const load = createRequire(import.meta.url);
let variants = [];
let workload;

/** Bytes that resident memory rises by, at most, in the first call; undefined where /proc cannot tell. */
async function peakOf(run) {
  const status = (name) =>
    Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    await run();
    return undefined;
  }
  const before = status('VmRSS');
  await run();
  return status('VmHWM') - before;
}

async function answer(m) {
  if (m.do === 'init') return engine.init({ ...m, load, resolve: load.resolve });
  if (m.do === 'prepare') {
    workload = m.workload;
    variants = await engine.prepare(workload);
    return {
      peak: await peakOf(variants[0].run),
      variants: variants.map((v) => ({
        name: v.name,
        layout: v.layout ?? workload.layout,
        approximate: v.approximate === true,
      })),
    };
  }
  const v = variants[m.variant];
  if (m.do === 'sample') return { values: sample(await v.get(), workload) };
  const start = process.hrtime.bigint();
  for (let i = 0; i < m.calls; i++) {
    const r = v.run();
    if (r instanceof Promise) await r;
  }
  return { ms: Number(process.hrtime.bigint() - start) / 1e6 / m.calls };
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = { ok: true, ...(await answer(JSON.parse(line))) };
  } catch (error) {
    reply = { ok: false, reason: String(error?.message ?? error).slice(0, 200) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
process.exit(0);
