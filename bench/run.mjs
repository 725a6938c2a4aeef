/**
 * Times this package beside the engines that are installed, on the same inputs, in one run: every engine in a process of its
 * own, started anew for every workload, samples taken in alternation (A B … B A) after a pause and a warm-up, medians compared.
 *
 *   npm run bench -- --help
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { expectedSamples } from './lib/expected.mjs';
import { barChart, markdown, replaceBlock } from './lib/report.mjs';
import { shapes } from './shapes.mjs';
import { costOf, workloads } from './workloads.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: opt } = parseArgs({
  options: {
    workloads: { type: 'string', default: 'all' },
    threads: { type: 'string', default: '2,1' },
    isa: { type: 'string', default: '' },
    peers: { type: 'string', default: 'all' },
    samples: { type: 'string', default: '9' },
    'sample-ms': { type: 'string', default: '15' },
    json: { type: 'string' },
    svg: { type: 'string' },
    readme: { type: 'boolean', default: false },
    'no-check': { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (opt.help) {
  console.log(`npm run bench -- [options]
  --workloads R1,T3 | resize,pool,deconv,conv,resize-conv,fused,shuffle,overhead | all | shapes   (--list shows them; the
                       last are some hundred more, which \`all\` leaves out)
  --threads 2,1        thread counts, one after the other
  --isa avx2           force an instruction set on this package (default: the best)
  --peers onnxruntime,torch,opencv,tfjs,sharp | all | none
  --samples 9          samples per variant; the median is reported, with the spread
  --sample-ms 15       at least this much work in a sample
  --json FILE          write everything for bench/compare.mjs
  --svg FILE           write the bar chart
  --readme             put table and chart into README.md
  --no-check           do not compare results with the reference
Engines: npm install --prefix bench --ignore-scripts; PyTorch and OpenCV through $BENCH_PYTHON (default python3).`);
  process.exit(0);
}
const picked = opt.workloads.split(',');
const chosen = [...workloads, ...shapes].filter(
  (w) =>
    (picked.includes('all') && w.group !== 'shapes') || picked.includes(w.id) || picked.includes(w.group),
);
if (opt.list) {
  for (const w of chosen)
    console.log(
      w.id.padEnd(6),
      w.group.padEnd(12),
      `${w.title}: ${w.input.join('×')} → ${w.output.join('×')}`,
    );
  process.exit(0);
}

const python = process.env.BENCH_PYTHON ?? 'python3';
const ENGINES = {
  upsampling: [process.execPath, [join(here, 'worker.mjs'), 'upsampling']],
  onnxruntime: [process.execPath, [join(here, 'worker.mjs'), 'onnxruntime']],
  torch: [python, [join(here, 'engines/python.py'), 'torch']],
  opencv: [python, [join(here, 'engines/python.py'), 'opencv']],
  tfjs: [process.execPath, [join(here, 'worker.mjs'), 'tfjs']],
  sharp: [process.execPath, [join(here, 'worker.mjs'), 'sharp']],
};
const peers =
  opt.peers === 'none'
    ? []
    : Object.keys(ENGINES).filter(
        (n) => n !== 'upsampling' && (opt.peers === 'all' || opt.peers.split(',').includes(n)),
      );

/** One engine's process and its line protocol. */
class Engine {
  constructor(name, threads) {
    this.name = name;
    const [command, args] = ENGINES[name];
    this.child = spawn(command, args, {
      cwd: here,
      env: { ...process.env, OMP_NUM_THREADS: String(threads), PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.waiting = [];
    this.dead = undefined;
    const end = (reason) => {
      this.dead ??= reason;
      for (const resolve of this.waiting.splice(0)) resolve({ ok: false, reason: this.dead });
    };
    this.child.on('error', (e) => end(e.message));
    this.child.on('exit', (code, signal) => end(`its process ended (${signal ?? code})`));
    this.child.stdin.on('error', () => {});
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      if (line.startsWith('{'))
        this.waiting.shift()?.(JSON.parse(line.replace(/\b-?(NaN|Infinity)\b/g, 'null')));
    });
  }
  ask(message) {
    if (this.dead !== undefined) return Promise.resolve({ ok: false, reason: this.dead });
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.child.stdin.write(`${JSON.stringify(message)}\n`);
    });
  }
  async stop() {
    if (this.dead !== undefined) return;
    this.child.stdin.end();
    await new Promise((resolve) => {
      this.child.on('exit', resolve);
      setTimeout(() => this.child.kill('SIGKILL'), 2000).unref();
    });
  }
}

// onnxruntime's pool spins for about 20 ms after a run: with 5 ms here, whoever came after it at two threads was measured
// on one core and a half in a third of the samples.
const PAUSE_MS = 40;

const median = (list) => {
  const s = [...list].sort((a, b) => a - b);
  return s.length % 2 ? s[s.length >> 1] : (s[s.length / 2 - 1] + s[s.length / 2]) / 2;
};

/** Median time of every variant of every engine on one workload. */
async function measure(w, threads, versions, expected) {
  const engines = ['upsampling', ...peers.filter((p) => versions[p]?.absent === undefined)].map(
    (n) => new Engine(n, threads),
  );
  const variants = [];
  // They start side by side: importing takes longer than measuring.
  const infos = await Promise.all(engines.map((e) => e.ask({ do: 'init', threads, isa: opt.isa })));
  for (const [k, e] of engines.entries()) {
    const info = infos[k];
    if (!info.ok) {
      versions[e.name] ??= { absent: info.reason.split('\n')[0] };
      continue;
    }
    versions[e.name] = { version: info.version, note: info.note };
    const prepared = await e.ask({ do: 'prepare', workload: w });
    if (!prepared.ok) {
      if (e.name === 'upsampling') console.error(`${w.id}: upsampling: ${prepared.reason}`);
      continue;
    }
    prepared.variants.forEach((v, i) => {
      variants.push({ engine: e, index: i, ...v, times: [], peak: i === 0 ? prepared.peak : undefined });
    });
  }
  for (const v of variants) {
    let calls = 1;
    for (;;) {
      const r = await v.engine.ask({ do: 'time', variant: v.index, calls });
      if (!r.ok) {
        v.failed = r.reason;
        break;
      }
      const total = r.ms * calls;
      v.calls = Math.max(1, Math.ceil(Number(opt['sample-ms']) / r.ms));
      if (total >= Number(opt['sample-ms']) / 2 || calls > 1e7) break;
      calls = Math.max(calls * 2, Math.min(calls * 50, v.calls));
    }
    if (v.failed === undefined && expected !== undefined) {
      const got = await v.engine.ask({ do: 'sample', variant: v.index });
      v.check = got.ok ? compareSamples(w, expected, got.values) : { ok: false, reason: got.reason };
    }
  }
  const live = variants.filter((v) => v.failed === undefined);
  for (let round = 0; round < Number(opt.samples); round++)
    for (const v of round % 2 ? [...live].reverse() : live) {
      // Threads of the engine before look out for work for a while, on cores that this one needs; its own sleep, and
      // the caches hold other data: a third of a sample goes by untimed.
      await sleep(PAUSE_MS);
      await v.engine.ask({ do: 'time', variant: v.index, calls: Math.ceil(v.calls / 3) });
      const r = await v.engine.ask({ do: 'time', variant: v.index, calls: v.calls });
      if (r.ok) v.times.push(r.ms);
      else v.failed = r.reason;
    }
  await Promise.all(engines.map((e) => e.stop()));
  return variants
    .filter((v) => v.times.length > 0)
    .map((v) => ({
      engine: v.engine.name,
      variant: v.name,
      layout: v.layout,
      approximate: v.approximate,
      ms: median(v.times),
      least: Math.min(...v.times),
      most: Math.max(...v.times),
      beyond: v.peak === undefined ? undefined : Math.max(0, v.peak - costOf(w).bytes.write),
      correct: v.check?.ok,
      worst: v.check?.worst,
    }));
}

function compareSamples(w, expected, got) {
  let worst = 0;
  let different = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Number.isNaN(expected[i])) continue; // a channel that was left out
    const d = Math.abs(got[i] - expected[i]);
    if (!(d <= worst)) worst = d;
    if (d !== 0) different++;
  }
  // Ties of the argmax may fall either way in float32; a rounded byte may be one off.
  if (w.op === 'interpolateArgmax') return { ok: different <= 0.02 * expected.length, worst: different };
  return { ok: worst <= (w.type === 'uint8' ? 1 : 1e-3), worst };
}

/** GB/s by working set and GFLOP/s, measured now; undefined where there is no compiler. */
function limitsOf(threads) {
  const folder = mkdtempSync(join(tmpdir(), 'upsampling-limits-'));
  try {
    const binary = join(folder, 'limits');
    execFileSync(
      'g++',
      ['-O3', '-march=native', '-ffp-contract=fast', '-pthread', '-o', binary, join(here, 'limits.cc')],
      { stdio: 'ignore' },
    );
    return JSON.parse(execFileSync(binary, [String(threads)], { encoding: 'utf8' }));
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function boundOf(w, limits) {
  if (limits === undefined || w.group === 'overhead') return undefined;
  const { bytes, flops } = costOf(w);
  const total = bytes.read + bytes.write;
  const tier =
    total <= limits.threads * (768 << 10)
      ? 'l2'
      : total <= 12 << 20
        ? 'l3'
        : total <= 24 << 20
          ? 'l3big'
          : 'dram';
  const memory = total / limits[tier] / 1e6;
  const compute = flops / limits.gflops / 1e6;
  return { ms: Math.max(memory, compute), by: memory > compute ? tier : 'fma' };
}

const versions = {};
const rows = [];
const limits = {};
for (const threads of opt.threads.split(',').map(Number)) {
  console.error(`measuring the machine's limits at ${threads} thread(s)`);
  limits[threads] = limitsOf(threads);
  for (const w of chosen) {
    const expected = opt['no-check'] ? undefined : await expectedSamples(w);
    const variants = await measure(w, threads, versions, expected);
    const same = (v) => v.engine !== 'upsampling' && !v.approximate && v.correct !== false;
    const least = (list) => list.reduce((a, b) => (a === undefined || b.ms < a.ms ? b : a), undefined);
    const mine = variants.filter((v) => v.engine === 'upsampling');
    const ours = least(mine.filter((v) => v.variant !== 'fresh'));
    const peer = least(variants.filter((v) => same(v) && v.layout === w.layout));
    const anyLayout = least(variants.filter(same));
    const row = {
      id: w.id,
      title: w.title,
      group: w.group,
      threads,
      ours,
      fresh: mine.find((v) => v.variant === 'fresh'),
      beyond: mine[0]?.beyond,
      peer,
      anyLayout,
      wrong: variants.filter((v) => v.engine !== 'upsampling' && !v.approximate && v.correct === false),
      bound: boundOf(w, limits[threads]),
      cost: costOf(w),
      variants,
    };
    rows.push(row);
    const ratio = ours && peer ? `${(peer.ms / ours.ms).toFixed(2)}× ${peer.engine}` : 'no peer';
    console.error(
      `${threads}t ${w.id.padEnd(5)} ${ours ? ours.ms.toPrecision(3) : '-'} ms  ${ratio}${ours?.correct === false ? '  WRONG RESULT' : ''}`,
    );
  }
}

const doc = {
  date: new Date().toISOString().slice(0, 10),
  cpu: cpus()[0]?.model,
  node: process.version,
  isa: opt.isa || undefined,
  versions,
  limits,
  rows,
};
const table = markdown(doc);
console.log(table);
if (opt.json) {
  mkdirSync(dirname(opt.json), { recursive: true });
  writeFileSync(opt.json, `${JSON.stringify(doc, null, 1)}\n`);
}
const chart = barChart(rows.filter((r) => r.threads === rows[0]?.threads));
if (opt.svg) writeFileSync(opt.svg, chart);
if (opt.readme) {
  const readme = join(here, '../README.md');
  writeFileSync(join(here, 'chart.svg'), chart);
  if (existsSync(readme))
    writeFileSync(
      readme,
      replaceBlock(
        readFileSync(readme, 'utf8'),
        'bench',
        `![time of the fastest peer over ours](bench/chart.svg)\n\n${table}`,
      ),
    );
}
process.exit(rows.some((r) => r.ours?.correct === false) ? 1 : 0);
