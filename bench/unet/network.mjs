/**
 * The small U-Net of train.py, run entirely with this package: WHAT is in the picture comes from the contracting path, WHERE comes
 * back by one of four ways of upsampling.
 */
import { readFile } from 'node:fs/promises';
import { readSafetensors, tensorsOf } from '../../dist/files/safetensors.js';
import * as api from '../../dist/index.js';

const folder = new URL('./weights/', import.meta.url);
export const VARIANTS = ['nearest', 'bilinear', 'unpool', 'transposed'];

/** The tensors of a file beside this one, by name. */
export async function load(name) {
  return tensorsOf(readSafetensors(await readFile(new URL(`${name}.safetensors`, folder)), name));
}

/** What PyTorch computed when the networks were trained. */
export async function fromTorch() {
  return JSON.parse(await readFile(new URL('torch.json', folder), 'utf8'));
}

function relu(t) {
  for (let i = 0; i < t.data.length; i++) if (t.data[i] < 0) t.data[i] = 0;
  return t;
}

/** Channels of a, then channels of b. */
function concatenate(a, b) {
  const [n, ca, h, w] = a.dims;
  const cb = b.dims[1];
  const data = new Float32Array(n * (ca + cb) * h * w);
  for (let k = 0; k < n; k++) {
    data.set(a.data.subarray(k * ca * h * w, (k + 1) * ca * h * w), k * (ca + cb) * h * w);
    data.set(b.data.subarray(k * cb * h * w, (k + 1) * cb * h * w), (k * (ca + cb) + ca) * h * w);
  }
  return { type: 'float32', data, dims: [n, ca + cb, h, w] };
}

/** Pictures as bytes to the network's input. */
export function normalised({ data, dims }) {
  return { type: 'float32', data: Float32Array.from(data, (v) => v / 127.5 - 1), dims };
}

/**
 * Runs a variant: `fine` are its logits at the size of the input, `coarse` those of the contracting path at a quarter, `up` the map
 * that the last upsampling made.
 */
export async function segment(variant, weights, input) {
  const w = (name) => weights.get(`${name}.weight`);
  const b = (name) => weights.get(`${name}.bias`);
  const conv = (x, name) => api.conv2d(x, w(name), { bias: b(name), padding: (w(name).dims[2] - 1) / 2 });
  const up = async (x, name, indices) => {
    if (variant === 'unpool') return api.maxUnpool2d(x, indices, { kernelSize: 2 });
    if (variant === 'transposed')
      return api.convTranspose2d(x, w(name), { bias: b(name), stride: 2, padding: 1, outputPadding: 1 });
    return api.resizeConv2d(x, w(name), { bias: b(name), scaleFactor: 2, mode: variant, padding: 1 });
  };
  const a = relu(await conv(relu(await conv(input, 'enc1a')), 'enc1b'));
  const first = await api.maxPool2dWithIndices(a, { kernelSize: 2 });
  const e2 = relu(await conv(first.output, 'enc2'));
  const second = await api.maxPool2dWithIndices(e2, { kernelSize: 2 });
  const middle = relu(await conv(relu(await conv(second.output, 'mid1')), 'mid2'));
  const d2 = relu(await conv(concatenate(await up(middle, 'up2', second.indices), e2), 'dec2'));
  const up1 = await up(d2, 'up1', first.indices);
  const d1 = relu(await conv(concatenate(up1, a), 'dec1'));
  return { fine: await conv(d1, 'head'), coarse: await conv(middle, 'coarse'), up: up1 };
}

/** Mean over the classes of intersection over union, over all pictures at once. */
export function iou(classes, truth, count) {
  let sum = 0;
  for (let c = 0; c < count; c++) {
    let both = 0;
    let either = 0;
    for (let i = 0; i < truth.length; i++) {
      const [p, t] = [classes[i] === c, truth[i] === c];
      if (p && t) both++;
      if (p || t) either++;
    }
    sum += both / either;
  }
  return sum / count;
}

/** Every variant on the test pictures: maps, scores, and PyTorch's scores beside ours. */
export async function evaluate() {
  const { pictures, truth } = Object.fromEntries(await load('pictures'));
  const torch = await fromTorch();
  const count = torch.classes.length;
  const input = normalised(pictures);
  const size = input.dims.slice(2);
  const variants = [];
  for (const variant of VARIANTS) {
    const weights = await load(variant);
    const { fine, coarse, up } = await segment(variant, weights, input);
    const classes = await api.interpolateArgmax(fine, { size, mode: 'nearest' });
    const coarseNearest = await api.interpolateArgmax(coarse, { size, mode: 'nearest' });
    const coarseBilinear = await api.interpolateArgmax(coarse, { size, mode: 'bilinear' });
    const theirs = torch.variants[variant];
    let worst = 0;
    theirs.logits.forEach((v, i) => {
      worst = Math.max(worst, Math.abs(v - fine.data[i * theirs.logitsStep]));
    });
    variants.push({
      variant,
      weights,
      classes,
      coarseNearest,
      up,
      iou: iou(classes.data, truth.data, count),
      iouCoarseNearest: iou(coarseNearest.data, truth.data, count),
      iouCoarseBilinear: iou(coarseBilinear.data, truth.data, count),
      torch: theirs,
      worstLogitDifference: worst,
    });
  }
  return { pictures, truth, torch, variants };
}
