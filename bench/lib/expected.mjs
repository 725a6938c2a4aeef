/**
 * What the reference says at the sampled positions of a workload. Where channels do not mix, only those channels that a sample
 * falls in are computed.
 */
import * as reference from '../../dist/reference.js';
import { bias, channelsOf, count, sample, unpoolIndices, values, weights } from './inputs.mjs';

const cache = new Map();

export async function expectedSamples(w) {
  if (cache.has(w.id)) return cache.get(w.id);
  const result = compute(w);
  cache.set(w.id, result);
  return result;
}

function compute(w) {
  const input = { type: w.type, data: values(w.type, w.input, 1), dims: w.input };
  const run = reference[`${w.op}Sync`];
  if (run === undefined) return undefined;
  const whole = () => {
    const extra = w.op === 'maxUnpool2d' ? [{ type: 'int32', data: unpoolIndices(w), dims: w.input }] : [];
    const r = run(input, ...extra, w.options);
    return sample((r.output ?? r).data, w);
  };
  if (w.weight === undefined) return whole();
  const all = { wt: weights(w), b: bias(w) };
  if (w.options.groups > 1) {
    return sample(
      run(
        input,
        { type: 'float32', data: all.wt, dims: w.weight },
        { ...w.options, bias: { type: 'float32', data: all.b, dims: [channelsOf(w)] } },
      ).data,
      w,
    );
  }
  // A dense convolution: two output channels stand for all, their weights cut out of the tensor.
  const transposed = w.op === 'convTranspose2d';
  const channels = [0, channelsOf(w) - 1];
  const taps = count(w.weight.slice(2));
  const [lead, second] = w.weight;
  const cut = new Float32Array(channels.length * (transposed ? lead : second) * taps);
  channels.forEach((o, k) => {
    for (let i = 0; i < (transposed ? lead : second); i++)
      for (let t = 0; t < taps; t++) {
        if (transposed) cut[(i * channels.length + k) * taps + t] = all.wt[(i * second + o) * taps + t];
        else cut[(k * second + i) * taps + t] = all.wt[(o * second + i) * taps + t];
      }
  });
  const dims = transposed
    ? [lead, channels.length, ...w.weight.slice(2)]
    : [channels.length, second, ...w.weight.slice(2)];
  const some = run(
    input,
    { type: 'float32', data: cut, dims },
    {
      ...w.options,
      bias: { type: 'float32', data: Float32Array.from(channels, (c) => all.b[c]), dims: [channels.length] },
    },
  );
  const out = new Float32Array(count(w.output)).fill(Number.NaN);
  if (w.layout === 'nhwc') {
    channels.forEach((o, k) => {
      for (let at = k, to = o; to < out.length; at += channels.length, to += channelsOf(w))
        out[to] = some.data[at];
    });
    return sample(out, w);
  }
  const plane = count(w.output.slice(2));
  channels.forEach((o, k) => {
    out.set(some.data.subarray(k * plane, (k + 1) * plane), o * plane);
  });
  return sample(out, w);
}
