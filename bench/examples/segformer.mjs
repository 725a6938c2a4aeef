#!/usr/bin/env node
/**
 * The shape of SegFormer from photograph to map: resize → network with a quarter of the resolution → full-size classes → PNG.
 * The network is written here with random weights, so its classes mean nothing; put your own .onnx file in its place.
 *
 *   node bench/examples/segformer.mjs PHOTO OUT.png
 */
import ort from 'onnxruntime-node';
import sharp from 'sharp';
import { interpolate, interpolateArgmax } from '../../dist/index.js'; // yours: from 'upsampling'
import { initializer, model, node } from '../lib/onnx-model.mjs';

const [photo, out] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node bench/examples/segformer.mjs PHOTO OUT.png');
  process.exit(2);
}
const [SIDE, CLASSES, WIDTH] = [256, 19, 16];

/** uint8 (1, H, W, 3) → logits (1, classes, H/4, W/4). */
function network() {
  const weights = (name, ...dims) => {
    const n = dims.reduce((a, b) => a * b);
    const fan = dims.length > 1 ? n / dims[0] : 1;
    return initializer(
      name,
      'float32',
      dims,
      Float32Array.from({ length: n }, (_, i) => Math.sin(i * i + 1) / Math.sqrt(fan)),
    );
  };
  return model({
    nodes: [
      node('Cast', ['pixels'], ['f'], { to: 1 }),
      node('Transpose', ['f'], ['chw'], { perm: [0, 3, 1, 2] }),
      node('Sub', ['chw', 'mean'], ['c']),
      node('Div', ['c', 'deviation'], ['x']),
      node('Conv', ['x', 'patches'], ['p'], { kernel_shape: [7, 7], strides: [4, 4], pads: [3, 3, 3, 3] }),
      node('Relu', ['p'], ['r']),
      node('Conv', ['r', 'classifier'], ['logits'], { kernel_shape: [1, 1] }),
    ],
    initializers: [
      initializer('mean', 'float32', [1, 3, 1, 1], Float32Array.of(123.675, 116.28, 103.53)),
      initializer('deviation', 'float32', [1, 3, 1, 1], Float32Array.of(58.395, 57.12, 57.375)),
      weights('patches', WIDTH, 3, 7, 7),
      weights('classifier', CLASSES, WIDTH, 1, 1),
    ],
    inputs: [{ name: 'pixels', type: 'uint8', dims: [1, SIDE, SIDE, 3] }],
    outputs: [{ name: 'logits', type: 'float32', dims: [1, CLASSES, SIDE / 4, SIDE / 4] }],
  });
}

const { data, info } = await sharp(photo).removeAlpha().raw().toBuffer({ resolveWithObject: true });
const { height, width, channels } = info;

// Our result goes straight into the session …
const pixels = await interpolate(
  { data, dims: [1, height, width, channels] },
  { size: SIDE, mode: 'bilinear', antialias: true, layout: 'nhwc' },
);
const session = await ort.InferenceSession.create(network());
const { logits } = await session.run({ pixels });

// … and its result straight into us: the 19 full-size score maps are never made.
const map = await interpolateArgmax(logits, { size: [height, width], mode: 'bilinear' });

const colour = (c) => [0, 1, 2].map((i) => Math.round(127 + 127 * Math.sin(2.4 * c + 2.1 * i)));
const palette = Array.from({ length: CLASSES }, (_, c) => colour(c));
const rgb = Uint8Array.from(
  { length: 3 * map.data.length },
  (_, i) => palette[map.data[Math.floor(i / 3)]][i % 3],
);
await sharp(rgb, { raw: { height, width, channels: 3 } })
  .png({ palette: true })
  .toFile(out);
console.log(`${logits.dims.join('×')} → ${map.dims.join('×')}, ${new Set(map.data).size} classes seen`);
