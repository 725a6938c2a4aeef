/** Convolutions that differ in one thing only, in turn: a plan that is kept serves no other call. */
import { afterAll, describe, expect, it } from 'vitest';
import * as api from '../../src/index.js';
import * as reference from '../../src/reference.js';
import { random } from '../support/random.js';

const isa = api.runtime.isa;
afterAll(() => api.runtime.setIsa(isa));

const r = random(7);
const tensor = (...dims: number[]) => ({
  dims,
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 2 * r.next() - 1),
});
const x = tensor(2, 12, 9, 9);
const square = tensor(12, 12, 3, 3);
const infinite = {
  ...square,
  data: square.data.map((v, i) => (i === 7 ? Infinity : v)),
};
const around = { padding: 1 };

/** Outputs of one extent; those of a line have the same extents and other tables, weights or channels. */
const calls: [string, () => { data: unknown }, () => { data: unknown }][] = [];
for (const options of [around, { padding: 2, dilation: 2 }, { padding: 3, dilation: 3 }])
  for (const weight of [square, infinite])
    for (const input of [x, tensor(2, 12, 2, 2)]) {
      const name = `${JSON.stringify(options)}, ${input.dims}${weight === infinite ? ', infinite' : ''}`;
      const expected = () => reference.conv2dSync(input, weight, options);
      calls.push([name, () => api.conv2dSync(input, weight, options), expected]);
      for (const set of api.runtime.isas) {
        api.runtime.setIsa(set);
        const prepared = api.prepareConv2d(weight, options);
        calls.push([`prepared for ${set}, ${name}`, () => prepared.runSync(input), expected]);
      }
    }
for (const groups of [1, 2, 3]) {
  const weight = tensor(12, 12 / groups, 3, 3);
  const options = { ...around, groups };
  const expected = () => reference.conv2dSync(x, weight, options);
  calls.push([`${groups} groups`, () => api.conv2dSync(x, weight, options), expected]);
}
const one = tensor(12, 12, 1, 1);
for (const [weight, options] of [
  [square, around],
  [one, {}],
] as const)
  for (const op of ['conv2dSync', 'convTranspose2dSync'] as const)
    calls.push([
      `${op} ${weight.dims}`,
      () => api[op](x, weight, options),
      () => reference[op](x, weight, options),
    ]);
calls.push([
  'channels last',
  () =>
    api.conv2dSync({ ...x, dims: [2, 9, 9, 12] }, square, {
      ...around,
      layout: 'nhwc',
    }),
  () =>
    reference.conv2dSync({ ...x, dims: [2, 9, 9, 12] }, square, {
      ...around,
      layout: 'nhwc',
    }),
]);
for (let size = 1; size < 25; ++size) {
  const image = tensor(1, 5, size, 3);
  const weight = tensor(4, 5, 3, 3);
  calls.push([
    `rows: ${size}`,
    () => api.conv2dSync(image, weight, around),
    () => reference.conv2dSync(image, weight, around),
  ]);
}

describe('kept plans', () => {
  const expected = calls.map(([, , of]) => Array.from(of().data as Float32Array));
  const check = (i: number) => {
    const [name, run] = calls[i]!;
    const got = run().data as Float32Array;
    expected[i]!.forEach((e, k) => {
      const same = Object.is(e, got[k]) || Math.abs(e - got[k]!) <= 1e-4;
      if (!same) expect.fail(`${name} on ${api.runtime.isa}: ${got[k]} at ${k}, expected ${e}`);
    });
  };

  it('are of the same call only, in any order', () => {
    for (const set of [...api.runtime.isas, ...api.runtime.isas]) {
      api.runtime.setIsa(set);
      for (let i = 0; i < calls.length; ++i) check(i);
    }
    for (let k = 0; k < 300; ++k) {
      if (r.chance(0.2)) api.runtime.setIsa(r.pick(api.runtime.isas));
      check(r.int(0, calls.length - 1));
    }
  });
});
