/**
 * One engine in a process of its own: JSON lines on stdin and stdout.
 * init { threads, isa } · prepare { workload } · time { variant, calls } · sample { variant }
 */
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { sample } from './lib/inputs.mjs';

const engine = await import(`./engines/${process.argv[2]}.mjs`);
const load = createRequire(import.meta.url);
let variants = [];
let workload;

async function answer(m) {
  if (m.do === 'init') return engine.init({ ...m, load, resolve: load.resolve });
  if (m.do === 'prepare') {
    workload = m.workload;
    variants = await engine.prepare(workload);
    return {
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
