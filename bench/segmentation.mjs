#!/usr/bin/env node
/**
 * From the logits of a segmentation network to the class map of a full HD picture, 150 × 128×128 → 1080×1920: time, memory beyond
 * the result, and how long the event loop stands still. This package beside transformers.js and a Resize + ArgMax graph in
 * onnxruntime-node, each in a process of its own.
 *
 *   node bench/segmentation.mjs [--threads 2] [--readme]
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { replaceBlock } from './lib/report.mjs';

const DIMS = [1, 150, 128, 128];
const SIZE = [1080, 1920];
const PIXELS = SIZE[0] * SIZE[1];
const { values: opt } = parseArgs({
  options: {
    engine: { type: 'string' },
    threads: { type: 'string', default: '2' },
    readme: { type: 'boolean', default: false },
  },
});
const threads = Number(opt.threads);

/** Smooth hills of random classes, as a network gives them. */
function logits() {
  const data = new Float32Array(DIMS.reduce((a, b) => a * b));
  const [, , height, width] = DIMS;
  for (let i = 0; i < data.length; i++) {
    const c = Math.floor(i / (height * width));
    const [y, x] = [Math.floor(i / width) % height, i % width];
    data[i] = Math.sin(c * 1.3 + y / 17) + Math.cos(c * 2.1 + x / 13) + 0.1 * Math.sin(i * 12.9898);
  }
  return data;
}

/** name → how often it is run, and what makes its run function; a run returns the classes. */
const ENGINES = {
  upsampling: [
    9,
    async (data) => {
      const { interpolateArgmax, runtime } = await import('../dist/index.js');
      runtime.setThreads(threads);
      return async () =>
        (await interpolateArgmax({ data, dims: DIMS }, { size: SIZE, mode: 'bilinear' })).data;
    },
  ],
  'transformers.js': [
    1,
    async (data) => {
      const { SegformerImageProcessor, Tensor } = await import('@huggingface/transformers');
      const processor = new SegformerImageProcessor({});
      return async () => {
        const outputs = { logits: new Tensor('float32', data, DIMS) };
        return processor.post_process_semantic_segmentation(outputs, [SIZE])[0].segmentation.data;
      };
    },
  ],
  'onnxruntime-node': [
    3,
    async (data) => {
      const { default: ort } = await import('onnxruntime-node');
      const { initializer, model, node } = await import('./lib/onnx-model.mjs');
      const sizes = BigInt64Array.from([1, DIMS[1], ...SIZE], BigInt);
      const graph = model({
        nodes: [
          node('Resize', ['x', '', '', 'sizes'], ['r'], { mode: 'linear' }),
          node('ArgMax', ['r'], ['y'], { axis: 1, keepdims: 0 }),
        ],
        initializers: [initializer('sizes', 'int64', [4], sizes)],
        inputs: [{ name: 'x', type: 'float32', dims: DIMS }],
        outputs: [{ name: 'y', type: 'int64', dims: [1, ...SIZE] }],
      });
      const session = await ort.InferenceSession.create(graph, {
        intraOpNumThreads: threads,
        logSeverityLevel: 3,
      });
      const x = new ort.Tensor('float32', data, DIMS);
      return async () => (await session.run({ x })).y.data;
    },
  ],
};

async function measure(name) {
  const [runs, make] = ENGINES[name];
  const data = logits();
  const run = await make(data);
  let [last, held] = [performance.now(), 0];
  const watch = setInterval(() => {
    const now = performance.now();
    held = Math.max(held, now - last);
    last = now;
  }, 1);
  await new Promise((f) => setTimeout(f, 50));
  held = 0;
  const before = process.memoryUsage.rss();
  const times = [];
  let classes;
  for (let i = 0; i < runs; i++) {
    const began = performance.now();
    classes = await run();
    times.push(performance.now() - began);
    // Time for the loop to be seen to have stood still.
    await new Promise((f) => setTimeout(f, 5));
    if (i === 0) measure.memory = process.resourceUsage().maxRSS * 1024 - before - classes.byteLength;
  }
  clearInterval(watch);
  times.sort((a, b) => a - b);
  let sum = 0;
  for (const c of classes) sum = (sum * 31 + Number(c)) % 4294967291;
  return {
    ms: times[times.length >> 1],
    memory: measure.memory / 2 ** 20,
    held,
    seen: classes.reduce((n, c) => n + Number(c), 0) / PIXELS,
  };
}

if (opt.engine !== undefined) console.log(JSON.stringify(await measure(opt.engine)));
else {
  const results = Object.keys(ENGINES).map((name) => {
    const args = [fileURLToPath(import.meta.url), '--engine', name, '--threads', String(threads)];
    return [name, JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))];
  });
  const ours = results[0][1];
  const size = `${DIMS.slice(1).join('×')} → ${SIZE.join('×')}`;
  const text = [
    `Class map of a segmentation, ${size}, ${threads} threads (\`node bench/segmentation.mjs\`):`,
    '',
    '| | time | ÷ ours | memory beyond the result | event loop held, at most | mean class |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...results.map(
      ([name, r]) =>
        `| ${name} | ${r.ms.toFixed(0)} ms | ${(r.ms / ours.ms).toFixed(1)}× | ${r.memory.toFixed(0)} MB | ${r.held.toFixed(0)} ms | ${r.seen.toFixed(3)} |`,
    ),
  ].join('\n');
  console.log(text);
  if (opt.readme) {
    const path = fileURLToPath(new URL('../README.md', import.meta.url));
    writeFileSync(path, replaceBlock(readFileSync(path, 'utf8'), 'segmentation', text));
  }
}
