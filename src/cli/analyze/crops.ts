/** What a layer does to a flat colour and to a photograph, before and after its phases are made even. */
import { projectInputs } from '../../analysis/checkerboard.js';
import { type Layer, product } from '../../analysis/layer.js';
import { largestSingular } from '../../analysis/spectral.js';
import { writePng } from '../../files/png.js';
import { convTranspose2dSync } from '../../index.js';
import { photograph } from './photo.js';

export interface Crop {
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

/** One plane of the layer: its inputs and outputs in the proportions that its mean gain passes best. */
export interface Plane {
  readonly kernel: Float64Array;
  readonly dims: readonly number[];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
}

/** Proportions of inputs and outputs: the singular vectors of the mean gain, so that a flat colour comes out strongest. */
export function proportions(layer: Layer): { inputs: Float64Array; outputs: Float64Array } {
  const { inChannels, outChannels, groups, taps, values, phaseCount } = layer;
  const columns = inChannels / groups;
  const perGroup = outChannels / groups;
  const mean = new Float64Array(outChannels * columns);
  let at = 0;
  for (let i = 0; i < inChannels; i++) {
    const g = Math.floor(i / columns);
    for (let o = 0; o < perGroup; o++) {
      let sum = 0;
      for (let k = 0; k < taps; k++) sum += values[at++]!;
      mean[(g * perGroup + o) * columns + (i - g * columns)] = sum / phaseCount;
    }
  }
  const inputs = new Float64Array(inChannels);
  const outputs = new Float64Array(outChannels);
  let best = -1;
  for (let g = 0; g < groups; g++) {
    const starts = Array.from({ length: perGroup }, (_, o) => (g * perGroup + o) * columns);
    const { sigma, vector } = largestSingular({ data: mean, starts, columns });
    if (sigma <= best) continue;
    best = sigma;
    inputs.fill(0).set(vector, g * columns);
    outputs.fill(0);
    for (const [o, start] of starts.entries()) {
      let y = 0;
      for (let i = 0; i < columns; i++) y += mean[start + i]! * vector[i]!;
      outputs[g * perGroup + o] = sigma === 0 ? (o === 0 ? 1 : 0) : y / sigma;
    }
  }
  return { inputs, outputs };
}

/** A layer of one channel in the given proportions; 1-D layers along rows, of 3-D layers the first phase of the depth. */
export function planeOf(layer: Layer, p: ReturnType<typeof proportions>): Plane {
  const h = projectInputs(layer, p.inputs);
  const { taps, outChannels, stride, dilation } = layer;
  const whole = new Float64Array(taps);
  for (let o = 0; o < outChannels; o++)
    for (let k = 0; k < taps; k++) whole[k]! += p.outputs[o]! * h[o * taps + k]!;
  const n = layer.kernel.length;
  if (n === 1)
    return {
      kernel: whole,
      dims: [1, layer.kernel[0]!],
      stride: [1, stride[0]!],
      dilation: [1, dilation[0]!],
    };
  const flat = layer.kernel.slice(n - 2);
  const pair = (v: readonly number[]) => v.slice(n - 2) as [number, number];
  if (n === 2) return { kernel: whole, dims: flat, stride: pair(stride), dilation: pair(dilation) };
  const area = product(flat);
  const kernel = new Float64Array(area);
  for (const t of layer.phases[0]![0]!.taps)
    for (let k = 0; k < area; k++) kernel[k]! += whole[t.kernel * area + k]!;
  return { kernel, dims: flat, stride: pair(stride), dilation: pair(dilation) };
}

/** The crop's output extent stays below this. */
const LARGEST = 96;

/** The layer's output on a grey image, as grey values: 128 (or the photograph's own) where the layer passes the mean. */
export function crop(plane: Plane, subject: 'flat' | 'photograph', gain: number): Crop {
  const { size, data } = photograph();
  const [sy, sx] = plane.stride;
  const inH = Math.max(6, Math.min(size, Math.floor(LARGEST / sy)));
  const inW = Math.max(6, Math.min(size, Math.floor(LARGEST / sx)));
  // Enough of the surrounding for no border to show.
  const marginY = Math.ceil(((plane.dims[0]! - 1) * plane.dilation[0]) / sy) + 1;
  const marginX = Math.ceil(((plane.dims[1]! - 1) * plane.dilation[1]) / sx) + 1;
  const h = inH + 2 * marginY;
  const w = inW + 2 * marginX;
  const clamp = (v: number, n: number) => Math.min(Math.max(v, 0), n - 1);
  const offsetY = Math.floor((size - inH) / 2);
  const offsetX = Math.floor((size - inW) / 2);
  const input = Float32Array.from({ length: h * w }, (_, i) => {
    if (subject === 'flat') return 128;
    const y = clamp(Math.floor(i / w) - marginY + offsetY, size);
    const x = clamp((i % w) - marginX + offsetX, size);
    return data[y * size + x]!;
  });
  const out = convTranspose2dSync(
    { data: input, dims: [1, 1, h, w] },
    { data: Float32Array.from(plane.kernel), dims: [1, 1, ...plane.dims] },
    { stride: plane.stride, dilation: plane.dilation },
  );
  const width = inW * sx;
  const height = inH * sy;
  const fullWidth = out.dims[3]!;
  const values = out.data as Float32Array;
  const grey = Uint8Array.from({ length: width * height }, (_, i) => {
    const v = values[(Math.floor(i / width) + marginY * sy) * fullWidth + (i % width) + marginX * sx]!;
    return clamp(Math.round(gain === 0 ? 128 + v : v / gain), 256);
  });
  return { width, height, png: writePng({ width, height, data: grey }) };
}

/** What the plane makes of a mean of one. */
export const meanGain = (plane: Plane): number =>
  plane.kernel.reduce((a, b) => a + b, 0) / (plane.stride[0] * plane.stride[1]);
