/** This package, blocking calls: `reuse` writes into one result, `fresh` allocates, `packed` has prepared weights. */
import * as api from '../../dist/index.js';
import { bias, channelsOf, count, unpoolIndices, values, weights } from '../lib/inputs.mjs';

export async function init({ threads, isa }) {
  if (isa) api.runtime.setIsa(isa);
  api.runtime.setThreads(threads);
  return { version: api.runtime.version, note: api.runtime.isa };
}

export async function prepare(w) {
  const input = { type: w.type, data: values(w.type, w.input, 1), dims: w.input };
  const Out = w.type === 'uint8' || w.op === 'interpolateArgmax' ? Uint8Array : Float32Array;
  const plain = {
    type: Out === Uint8Array ? 'uint8' : 'float32',
    data: new Out(count(w.output)),
    dims: w.output,
  };
  const out =
    w.op === 'maxPool2dWithIndices'
      ? { output: plain, indices: { type: 'int32', data: new Int32Array(count(w.output)), dims: w.output } }
      : plain;
  const run = api[`${w.op}Sync`];
  const extra = [];
  const options = { ...w.options };
  if (w.weight) {
    extra.push({ type: 'float32', data: weights(w), dims: w.weight });
    options.bias = { type: 'float32', data: bias(w), dims: [channelsOf(w)] };
  }
  if (w.op === 'maxUnpool2d') extra.push({ type: 'int32', data: unpoolIndices(w), dims: w.input });
  // Made once, as `out` is: an object spread anew in every call costs Node .4 us, and every read of it more.
  const reusing = { ...options, out };
  let last;
  const result = (r) => (r.output ?? r).data;
  const variants = [
    { name: 'reuse', run: () => run(input, ...extra, reusing), get: () => plain.data },
    {
      name: 'fresh',
      run: () => {
        last = run(input, ...extra, options);
      },
      get: () => result(last),
    },
  ];
  const prepareName = `prepare${w.op[0].toUpperCase()}${w.op.slice(1)}`;
  if (w.weight && api[prepareName] !== undefined) {
    const prepared = await api[prepareName](extra[0], options);
    variants.push({
      name: 'packed',
      run: () => prepared.runSync(input, { out: plain }),
      get: () => plain.data,
    });
  }
  return variants;
}
