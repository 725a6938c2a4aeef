/** onnxruntime-node: one-operator graphs, weights as initializers (it packs them); `reuse` passes the result tensor in. */
import { bias, count, unpoolIndices, values, weights } from '../lib/inputs.mjs';
import { initializer, model, node } from '../lib/onnx-model.mjs';

let ort;
let threads;

export async function init({ load, threads: t }) {
  ort = load('onnxruntime-node');
  threads = t;
  return { version: load('onnxruntime-node/package.json').version };
}

const MODES = { nearest: 'nearest', bilinear: 'linear', bicubic: 'cubic' };

function resizeNode(o, from, to) {
  const attributes = { mode: MODES[o.mode] };
  if (o.mode === 'nearest')
    Object.assign(attributes, { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' });
  else attributes.coordinate_transformation_mode = o.alignCorners ? 'align_corners' : 'half_pixel';
  if (o.mode === 'bicubic') attributes.cubic_coeff_a = { float: -0.75 };
  if (o.antialias) Object.assign(attributes, { antialias: 1, exclude_outside: 1 });
  return node('Resize', [from, '', '', 'sizes'], [to], attributes);
}

const int64s = (name, list) => initializer(name, 'int64', [list.length], BigInt64Array.from(list, BigInt));

export async function prepare(w) {
  if (w.layout === 'nhwc' && w.op !== 'interpolate') throw new Error('has no nhwc');
  const o = w.options;
  const window = {
    kernel_shape: [o.kernelSize, o.kernelSize],
    strides: [o.stride, o.stride],
    pads: new Array(4).fill(o.padding),
  };
  const inputs = [{ name: 'x', type: w.type, dims: w.input }];
  const outputs = [{ name: 'y', type: w.op === 'interpolateArgmax' ? 'int64' : w.type, dims: w.output }];
  const feeds = { x: new ort.Tensor(w.type, values(w.type, w.input, 1), w.input) };
  const initializers = [];
  const nodes = [];
  const addWeights = () =>
    initializers.push(
      initializer('w', 'float32', w.weight, weights(w)),
      initializer('b', 'float32', [w.output[1]], bias(w)),
    );
  const convolution = (type, from) => {
    addWeights();
    const [k, s, p] = [w.weight.slice(2), o.stride ?? 1, o.padding ?? 0];
    const attributes = { kernel_shape: k, strides: [s, s], pads: [p, p, p, p], group: o.groups };
    if (o.dilation) attributes.dilations = [o.dilation, o.dilation];
    if (o.outputPadding) attributes.output_padding = [o.outputPadding, o.outputPadding];
    nodes.push(
      node(
        type,
        [from, 'w', 'b'],
        ['y'],
        w.op === 'resizeConv2d' ? { ...attributes, strides: [1, 1] } : attributes,
      ),
    );
  };
  switch (w.op) {
    case 'interpolate':
      if (o.mode === 'area') {
        const k = [w.input[2] / w.output[2], w.input[3] / w.output[3]];
        if (!k.every(Number.isInteger)) throw new Error('has no adaptive average');
        nodes.push(node('AveragePool', ['x'], ['y'], { kernel_shape: k, strides: k }));
      } else {
        initializers.push(int64s('sizes', w.output));
        nodes.push(resizeNode(o, 'x', 'y'));
      }
      break;
    case 'interpolateArgmax':
      initializers.push(int64s('sizes', [1, w.input[1], ...o.size]));
      nodes.push(resizeNode(o, 'x', 'r'), node('ArgMax', ['r'], ['y'], { axis: 1, keepdims: 0 }));
      break;
    case 'maxPool2d':
      nodes.push(node('MaxPool', ['x'], ['y'], window));
      break;
    case 'maxPool2dWithIndices':
      nodes.push(node('MaxPool', ['x'], ['y', 'i'], window));
      outputs.push({ name: 'i', type: 'int64', dims: w.output });
      break;
    case 'maxUnpool2d': {
      const plane = w.input[2] * w.input[3];
      const whole = BigInt64Array.from(unpoolIndices(w), (v, i) =>
        BigInt(v + Math.floor(i / plane) * plane * 4),
      );
      inputs.push({ name: 'i', type: 'int64', dims: w.input });
      feeds.i = new ort.Tensor('int64', whole, w.input);
      nodes.push(node('MaxUnpool', ['x', 'i'], ['y'], window));
      break;
    }
    case 'conv2d':
      convolution('Conv', 'x');
      break;
    case 'convTranspose2d':
      convolution('ConvTranspose', 'x');
      break;
    case 'resizeConv2d':
      initializers.push(int64s('sizes', [1, w.input[1], w.output[2], w.output[3]]));
      nodes.push(resizeNode({ mode: 'nearest' }, 'x', 'm'));
      convolution('Conv', 'm');
      break;
    case 'pixelShuffle':
      nodes.push(node('DepthToSpace', ['x'], ['y'], { blocksize: o.upscaleFactor, mode: 'CRD' }));
      break;
  }
  const session = await ort.InferenceSession.create(model({ nodes, initializers, inputs, outputs }), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
  });
  const arrays = { float32: Float32Array, uint8: Uint8Array, int64: BigInt64Array };
  const fetches = Object.fromEntries(
    outputs.map((t) => [t.name, new ort.Tensor(t.type, new arrays[t.type](count(t.dims)), t.dims)]),
  );
  let last;
  return [
    { name: 'reuse', run: () => session.run(feeds, fetches), get: () => fetches.y.data },
    {
      name: 'fresh',
      run: async () => {
        last = await session.run(feeds);
      },
      get: () => last.y.data,
    },
  ];
}
