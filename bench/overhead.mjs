/**
 * What a call costs beyond its work: tiny tensors, synchronous with `out`, asynchronous alone and with 100 in flight.
 * Run after `npm run build`: node bench/overhead.mjs
 */
import { convTranspose2d, convTranspose2dSync, interpolate, interpolateSync } from '../dist/index.js';

const tensor = (...dims) => ({
  type: 'float32',
  data: new Float32Array(dims.reduce((a, b) => a * b)).fill(1),
  dims,
});
const image = tensor(1, 1, 4, 4);
const enlarged = { scaleFactor: 2, mode: 'bilinear', out: tensor(1, 1, 8, 8) };
const small = tensor(1, 1, 2, 2);
const weight = tensor(1, 1, 2, 2);
const spread = { stride: 2, out: tensor(1, 1, 4, 4) };
const { out: _, ...fresh } = enlarged;
const { out: __, ...freshSpread } = spread;

const cases = {
  'O1 bilinear 2x of 4x4': [
    () => interpolateSync(image, enlarged),
    () => interpolate(image, enlarged),
    () => interpolate(image, fresh),
  ],
  'O2 convT 2x2 s2 of 2x2': [
    () => convTranspose2dSync(small, weight, spread),
    () => convTranspose2d(small, weight, spread),
    () => convTranspose2d(small, weight, freshSpread),
  ],
};

/** The least of several runs, in microseconds a call. */
async function least(calls, run) {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 9; i++) {
    const start = performance.now();
    await run(calls);
    best = Math.min(best, ((performance.now() - start) * 1000) / calls);
  }
  return best.toFixed(2).padStart(7);
}

for (const [name, [now, later, many]] of Object.entries(cases)) {
  const sync = await least(20000, (n) => {
    for (let i = 0; i < n; i++) now();
  });
  const alone = await least(500, async (n) => {
    for (let i = 0; i < n; i++) await later();
  });
  const flight = await least(2000, async (n) => {
    for (let i = 0; i < n; i += 100) await Promise.all(Array.from({ length: 100 }, many));
  });
  console.log(
    `${name}: ${sync} µs synchronous, ${alone} µs asynchronous alone, ${flight} µs with 100 in flight`,
  );
}
