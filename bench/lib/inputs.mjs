/** Inputs that every engine makes for itself, bit by bit alike (engines/python.py has the same hash). */

/** A 32-bit mix of position and seed. */
export function hash(i, seed) {
  let x = (i + Math.imul(seed, 0x9e3779b9)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

export const count = (dims) => dims.reduce((a, b) => a * b, 1);

/** Uniform in [-1, 1) with 24 bits, or bytes. */
export function values(type, dims, seed, scale = 1) {
  const n = count(dims);
  const out = type === 'uint8' ? new Uint8Array(n) : new Float32Array(n);
  for (let i = 0; i < n; i++)
    out[i] = type === 'uint8' ? hash(i, seed) & 255 : ((hash(i, seed) >>> 8) / 8388608 - 1) * scale;
  return out;
}

/** Weights scaled by a power of two near 1/√fan-in, so that outputs stay near 1. */
export function weights(w) {
  const taps = count(w.weight.slice(2));
  const fanIn = w.op === 'convTranspose2d' ? (w.weight[0] / w.options.groups) * taps : w.weight[1] * taps;
  return values('float32', w.weight, 2, 2 ** -Math.ceil(Math.log2(Math.sqrt(fanIn))));
}

export const channelsOf = (w) => w.output[w.layout === 'nhwc' ? 3 : 1];

export const bias = (w) => values('float32', [channelsOf(w)], 3);

/** Positions a 2×2 stride 2 pooling could have found, flat in each plane. */
export function unpoolIndices(w) {
  const last = w.layout === 'nhwc';
  const [h, width] = last ? w.input.slice(1, 3) : w.input.slice(2);
  const channels = last ? w.input[3] : 1;
  const out = new Int32Array(count(w.input));
  for (let i = 0; i < out.length; i++) {
    const x = Math.floor(i / channels) % width;
    const y = Math.floor(i / channels / width) % h;
    const r = hash(i, 4);
    out[i] = (2 * y + ((r >>> 1) & 1)) * 2 * width + 2 * x + (r & 1);
  }
  return out;
}

export const SAMPLES = 997;

/** Values at positions that do not depend on the layout: out is in memory order of `layout`, positions are nchw. */
export function sample(out, w, layout = w.layout) {
  const dims =
    w.output.length === 3
      ? [w.output[0], 1, w.output[1], w.output[2]]
      : w.layout === 'nhwc'
        ? [w.output[0], w.output[3], w.output[1], w.output[2]]
        : w.output;
  const [, c, h, width] = dims;
  const total = count(dims);
  return Array.from({ length: SAMPLES }, (_, k) => {
    let at = hash(k, 77) % total;
    if (layout === 'nhwc') {
      const x = at % width;
      const y = Math.floor(at / width) % h;
      const ch = Math.floor(at / (width * h)) % c;
      const n = Math.floor(at / (width * h * c));
      at = ((n * h + y) * width + x) * c + ch;
    }
    return Number(out[at]);
  });
}
