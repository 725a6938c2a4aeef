/** Winograd's algorithm: its error is what the docstring of conv2d says, in the mean. The bound is held by parity. */
import { expect, it } from 'vitest';
import { runtime } from '../../src/runtime.js';
import type { Tensor } from '../../src/tensor.js';
import { convTranspose2dSync, prepareConvTranspose2d } from '../../src/torch/conv-transpose2d.js';
import { conv2dSync } from '../../src/torch/conv2d.js';
import { makeTensor } from '../support/tensors.js';

const of = (t: Tensor, f: (v: number) => number): Tensor => ({
  type: 'float64',
  dims: t.dims,
  data: Float64Array.from(t.data as Float32Array, f),
});

it.each([
  ['conv2d, 3×3', [32, 32, 3, 3], 0.95, (x: Tensor, w: Tensor) => conv2dSync(x, w, { padding: 1 })],
  [
    'convTranspose2d, 4×4 at stride 2',
    [32, 32, 4, 4],
    0.95,
    (x: Tensor, w: Tensor) => convTranspose2dSync(x, w, { stride: 2, padding: 1 }),
  ],
  [
    'convTranspose2d, 3×3 at stride 2',
    [64, 64, 3, 3],
    1.05,
    (x: Tensor, w: Tensor) => prepareConvTranspose2d(w, { stride: 2, padding: 1 }).runSync(x),
  ],
] as const)('has the documented error: %s', (_, dims, most, run) => {
  const x = makeTensor({ type: 'float32', dims: [1, dims[0], 48, 48], seed: 1 });
  const w = makeTensor({ type: 'float32', dims, seed: 2 });
  const exact = run(
    of(x, (v) => v),
    of(w, (v) => v),
  ).data as Float64Array;
  const magnitude = run(of(x, Math.abs), of(w, Math.abs)).data as Float64Array;
  const best = runtime.isa;
  for (const isa of runtime.isas) {
    runtime.setIsa(isa);
    const got = run(x, w).data as Float32Array;
    const squares = got.reduce((s, v, i) => s + ((v - exact[i]!) / (magnitude[i]! * 2 ** -24)) ** 2, 0);
    expect(Math.sqrt(squares / got.length), isa).toBeLessThan(most);
    expect(Math.sqrt(squares / got.length), isa).toBeGreaterThan(0.1);
  }
  runtime.setIsa(best);
});
