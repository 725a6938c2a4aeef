/** Layers for the tests, and a transposed convolution by its own definition, sharing nothing with src. */
import { random } from '../support/random.js';

export interface Weight {
  readonly dims: number[];
  readonly data: Float32Array;
}

export const size = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);

export function randomWeight(dims: number[], seed = 1): Weight {
  const r = random(seed);
  return { dims, data: Float32Array.from({ length: size(dims) }, () => r.next() - 0.5) };
}

/** (1, 1, k, k) from one axis. */
export function separable(axis: readonly number[]): Weight {
  return {
    dims: [1, 1, axis.length, axis.length],
    data: Float32Array.from(axis.flatMap((a) => axis.map((b) => a * b))),
  };
}

export const ones = (...kernel: number[]): Weight => ({
  dims: [1, 1, ...kernel],
  data: new Float32Array(size(kernel)).fill(1),
});

interface Geometry {
  readonly stride: number;
  readonly padding?: number;
  readonly outputPadding?: number;
  readonly dilation?: number;
  readonly groups?: number;
}

/** out[o·s + …]: scatters, in 2-D, for one image (C, H, W). */
export function scatterTransposed(x: Weight, w: Weight, g: Geometry): Weight {
  const { stride: s, padding: p = 0, outputPadding = 0, dilation: d = 1, groups = 1 } = g;
  const [c, h, wd] = x.dims as [number, number, number];
  const [, outPerGroup, kh, kw] = w.dims as [number, number, number, number];
  const oh = (h - 1) * s - 2 * p + d * (kh - 1) + 1 + outputPadding;
  const ow = (wd - 1) * s - 2 * p + d * (kw - 1) + 1 + outputPadding;
  const out = {
    dims: [outPerGroup * groups, oh, ow],
    data: new Float64Array(outPerGroup * groups * oh * ow),
  };
  for (let i = 0; i < c; i++)
    for (let o = 0; o < outPerGroup; o++) {
      const channel = Math.floor(i / (c / groups)) * outPerGroup + o;
      for (let y = 0; y < h; y++)
        for (let z = 0; z < wd; z++)
          for (let ky = 0; ky < kh; ky++)
            for (let kx = 0; kx < kw; kx++) {
              const oy = y * s - p + ky * d;
              const ox = z * s - p + kx * d;
              if (oy < 0 || oy >= oh || ox < 0 || ox >= ow) continue;
              out.data[(channel * oh + oy) * ow + ox]! +=
                x.data[(i * h + y) * wd + z]! * w.data[((i * outPerGroup + o) * kh + ky) * kw + kx]!;
            }
    }
  return out as unknown as Weight;
}

/** Plain convolution of one image by its definition, then the shuffle of its channels. */
export function shuffledConvolution(x: Weight, w: Weight, r: number, pad: number): Weight {
  const [c, h, wd] = x.dims as [number, number, number];
  const [out, , kh, kw] = w.dims as [number, number, number, number];
  const channels = out / (r * r);
  const data = new Float64Array(channels * h * r * wd * r);
  for (let o = 0; o < out; o++)
    for (let y = 0; y < h; y++)
      for (let z = 0; z < wd; z++) {
        let sum = 0;
        for (let i = 0; i < c; i++)
          for (let ky = 0; ky < kh; ky++)
            for (let kx = 0; kx < kw; kx++) {
              const iy = y + ky - pad;
              const ix = z + kx - pad;
              if (iy >= 0 && iy < h && ix >= 0 && ix < wd)
                sum += x.data[(i * h + iy) * wd + ix]! * w.data[((o * c + i) * kh + ky) * kw + kx]!;
            }
        const channel = Math.floor(o / (r * r));
        const oy = y * r + Math.floor((o % (r * r)) / r);
        data[(channel * h * r + oy) * wd * r + z * r + (o % r)] = sum;
      }
  return { dims: [channels, h * r, wd * r], data } as unknown as Weight;
}

/** A flat image with the given mean of each channel. */
export const flat = (mean: readonly number[], extent = 12): Weight => ({
  dims: [mean.length, extent, extent],
  data: Float32Array.from(
    { length: mean.length * extent * extent },
    (_, i) => mean[Math.floor(i / (extent * extent))]!,
  ),
});
