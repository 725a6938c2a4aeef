/** Beside onnxruntime-node: its outputs flow into our operators, our results flow back into its sessions, as they are. */
import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { type Attribute, initializer, model, node, type ValueInfo } from '../../bench/lib/onnx-model.mjs';
import {
  convertIndices,
  convTranspose2d,
  type DataType,
  interpolate,
  interpolateArgmax,
  maxUnpool2d,
  prepareConvTranspose2d,
  type Tensor,
  tensorPool,
} from '../../src/index.js';
import { maxUnpool, resize } from '../../src/onnx.js';
import { numbers } from '../support/compare.js';
import { makeTensor } from '../support/tensors.js';

// CommonJS, loaded with Node's own require: the addon behind it must be loaded once in a process.
const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof Ort;

interface Graph {
  readonly nodes: Uint8Array[];
  readonly initializers?: Uint8Array[];
  readonly inputs: ValueInfo[];
  readonly outputs: ValueInfo[];
}

/** A session of a model written here; feeds may be anything that has the fields of a tensor. */
async function session(graph: Graph) {
  const s = await ort.InferenceSession.create(model(graph), { intraOpNumThreads: 1, logSeverityLevel: 3 });
  type Feeds = Readonly<Record<string, Tensor | Ort.Tensor>>;
  return async (feeds: Feeds, fetches?: Feeds): Promise<Record<string, Ort.Tensor>> =>
    fetches === undefined
      ? await s.run(feeds as Record<string, Ort.Tensor>)
      : await s.run(feeds as Record<string, Ort.Tensor>, fetches as Record<string, Ort.Tensor>);
}

const tensor = (type: DataType, dims: number[], seed: number) => {
  const { data } = makeTensor({ type, dims, seed });
  return new ort.Tensor(type as 'float32', data.slice() as Float32Array, dims);
};
const floats = (dims: number[], seed: number) => tensor('float32', dims, seed);
const weights = (name: string, dims: number[], seed: number) =>
  initializer(name, 'float32', dims, floats(dims, seed).data);
const sizes = (name: string, list: number[]) =>
  initializer(name, 'int64', [list.length], BigInt64Array.from(list, BigInt));

/** The largest difference of two results, with the dims compared. */
function apart(a: { data: unknown; dims: readonly number[] }, b: { data: unknown; dims: readonly number[] }) {
  expect([...a.dims]).toEqual([...b.dims]);
  const [x, y] = [a.data as Float32Array, b.data as Float32Array];
  return x.reduce((worst, v, i) => Math.max(worst, Math.abs(v - y[i]!)), 0);
}

const X: ValueInfo = { name: 'x', type: 'float32', dims: [2, 3, 32, 48] };
const POOLED = [2, 5, 8, 12];

/** The contracting path: WHAT. */
const encoder = {
  nodes: [
    node('Conv', ['x', 'w1'], ['h'], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    node('Relu', ['h'], ['r']),
    node('MaxPool', ['r'], ['y', 'i'], { kernel_shape: [2, 2], strides: [2, 2] }),
  ],
  initializers: [weights('w1', [5, 3, 3, 3], 1)],
};
/** The head after unpooling. */
const head = (from: string) => [
  node('Conv', [from, 'w2'], ['z'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
];
const headWeights = weights('w2', [7, 5, 3, 3], 2);

describe('a decoder between two sessions', async () => {
  const x = floats([...X.dims], 3);
  const Z: ValueInfo = { name: 'z', type: 'float32', dims: [2, 7, 16, 24] };
  const encode = await session({
    ...encoder,
    inputs: [X],
    outputs: [
      { name: 'y', type: 'float32', dims: POOLED },
      { name: 'i', type: 'int64', dims: POOLED },
    ],
  });
  const decode = await session({
    nodes: head('u'),
    initializers: [headWeights],
    inputs: [{ name: 'u', type: 'float32', dims: [2, 5, 16, 24] }],
    outputs: [Z],
  });
  const whole = await session({
    nodes: [
      ...encoder.nodes,
      node('MaxUnpool', ['y', 'i'], ['u'], { kernel_shape: [2, 2], strides: [2, 2] }),
      ...head('u'),
    ],
    initializers: [...encoder.initializers, headWeights],
    inputs: [X],
    outputs: [Z],
  });
  const { y, i } = (await encode({ x })) as { y: Ort.Tensor; i: Ort.Tensor };
  const { z: expected } = (await whole({ x })) as { z: Ort.Tensor };

  it('max unpooling in ONNX’s words, with the indices as they come', async () => {
    const [u] = await maxUnpool([y, i], { kernel_shape: [2, 2], strides: [2, 2] });
    const { z } = await decode({ u: u! });
    expect(apart(z!, expected)).toBe(0);
  });

  it('max unpooling in PyTorch’s words, with converted indices', async () => {
    const indices = convertIndices(i, { from: 'onnx', to: 'pytorch', dims: [2, 5, 16, 24] });
    const u = await maxUnpool2d(y, indices, { kernelSize: 2 });
    const { z } = await decode({ u });
    expect(apart(z!, expected)).toBe(0);
  });

  it('writes into a tensor of onnxruntime and hands it on', async () => {
    const out = new ort.Tensor('float32', new Float32Array(2 * 5 * 16 * 24), [2, 5, 16, 24]);
    const [u] = await maxUnpool([y, i], { kernel_shape: [2, 2], strides: [2, 2] }, { out: [out] });
    expect(u).toBe(out);
    expect(apart((await decode({ u: out })).z!, expected)).toBe(0);
  });

  it('lets a session write into a tensor of the pool', async () => {
    using pool = tensorPool({ maxBytes: 1 << 20 });
    const z = pool.allocate('float32', Z.dims);
    const [u] = await maxUnpool([y, i], { kernel_shape: [2, 2], strides: [2, 2] });
    // Only its own tensors are written to; this one is on the memory of the pool's.
    await decode({ u: u! }, { z: new ort.Tensor('float32', z.data as Float32Array, z.dims) });
    expect(apart(z, expected)).toBe(0);
    pool.release(z);
  });
});

describe('every element type goes there and back', () => {
  const types: DataType[] = [
    'float32',
    'float64',
    'float16',
    'uint8',
    'int8',
    'uint16',
    'int16',
    'int32',
    'uint32',
    'int64',
    'uint64',
    'bool',
  ];
  it.each(types)('%s', async (type) => {
    const x = tensor(type, [1, 2, 3, 5], 4);
    const larger = await interpolate(x, { scaleFactor: 2, mode: 'nearest' });
    const same = await session({
      nodes: [node('Identity', ['x'], ['y'])],
      inputs: [{ name: 'x', type, dims: [1, 2, 6, 10] }],
      outputs: [{ name: 'y', type, dims: [1, 2, 6, 10] }],
    });
    const { y } = await same({ x: larger });
    expect(y!.type).toBe(type);
    expect(y!.data).toEqual(larger.data);
    // And what it returns is an input of ours: every second pixel is the image again.
    const back = await interpolate(y!, { size: [3, 5], mode: 'nearest' });
    expect(numbers(type, back.data)).toEqual(numbers(type, x.data));
  });
});

describe('the same numbers as its graphs', () => {
  const image = floats([2, 4, 7, 9], 5);
  const size = [19, 23];
  const dims = [2, 4, ...size];
  const graph = (attributes: Record<string, Attribute>) =>
    session({
      nodes: [node('Resize', ['x', '', '', 's'], ['y'], attributes)],
      initializers: [sizes('s', dims)],
      inputs: [{ name: 'x', type: 'float32', dims: [...image.dims] }],
      outputs: [{ name: 'y', type: 'float32', dims }],
    });
  const cases: [string, Record<string, Attribute>, Parameters<typeof interpolate>[1]][] = [
    ['bilinear', { mode: 'linear' }, { size, mode: 'bilinear' }],
    [
      'bilinear, corners',
      { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
      { size, mode: 'bilinear', alignCorners: true },
    ],
    ['bicubic', { mode: 'cubic' }, { size, mode: 'bicubic' }],
    [
      'nearest',
      { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
      { size, mode: 'nearest' },
    ],
  ];
  it.each(cases)('Resize, %s', async (_, attributes, options) => {
    const { y } = await (await graph(attributes))({ x: image });
    const ours = await interpolate(image, options);
    const bound = options.mode === 'nearest' ? 0 : 4e-6;
    expect(apart(ours, y!)).toBeLessThanOrEqual(bound);
    const words = attributes as Parameters<typeof resize>[1];
    const [onnx] = await resize(
      [image, undefined, undefined, { data: BigInt64Array.from(dims, BigInt), dims: [4] }],
      words,
    );
    expect(apart(onnx!, y!)).toBeLessThanOrEqual(bound);
  });

  it.each(['uint8', 'int8', 'int32'] as const)('Resize of %s: ours rounds, theirs cuts off', async (type) => {
    const small = new ort.Tensor(
      type as 'int32',
      tensor(type, [1, 2, 5, 6], 11).data.map((v) => Number(v) % 100) as never,
      [1, 2, 5, 6],
    );
    const grown = [1, 2, 8, 11];
    const run = await session({
      nodes: [
        node('Resize', ['x', '', '', 's'], ['y'], { mode: 'linear' }),
        node('Cast', ['x'], ['f'], { to: 1 }),
        node('Resize', ['f', '', '', 's'], ['z'], { mode: 'linear' }),
      ],
      initializers: [sizes('s', grown)],
      inputs: [{ name: 'x', type, dims: [1, 2, 5, 6] }],
      outputs: [
        { name: 'y', type, dims: grown },
        { name: 'z', type: 'float32', dims: grown },
      ],
    });
    const { y, z } = await run({ x: small });
    const target = { data: BigInt64Array.from(grown, BigInt), dims: [4] };
    const [ours] = await resize([small, undefined, undefined, target], { mode: 'linear' });
    for (const [i, exact] of (z!.data as Float32Array).entries()) {
      expect(Math.abs(Number(ours!.data[i]) - exact)).toBeLessThan(0.5 + 1e-4);
      expect(Math.abs(exact) - Math.abs(Number((y!.data as Int32Array)[i]))).toBeGreaterThan(-1e-4);
      expect(Math.abs(exact) - Math.abs(Number((y!.data as Int32Array)[i]))).toBeLessThan(1 + 1e-4);
    }
  });

  it('Resize and ArgMax: the class map', async () => {
    const logits = floats([1, 21, 16, 24], 6);
    const target = [61, 97];
    const run = await session({
      nodes: [
        node('Resize', ['x', '', '', 's'], ['r'], { mode: 'linear' }),
        node('ArgMax', ['r'], ['y'], { axis: 1, keepdims: 0 }),
      ],
      initializers: [sizes('s', [1, 21, ...target])],
      inputs: [{ name: 'x', type: 'float32', dims: [...logits.dims] }],
      outputs: [
        { name: 'y', type: 'int64', dims: [1, ...target] },
        { name: 'r', type: 'float32', dims: [1, 21, ...target] },
      ],
    });
    const { y, r } = await run({ x: logits });
    const map = await interpolateArgmax(logits, { size: target, mode: 'bilinear', classType: 'int64' });
    expect(map.type).toBe(y!.type);
    expect(map.dims).toEqual([...y!.dims]);
    // Classes may differ only where onnxruntime's own two values are within its rounding of each other.
    const [ours, theirs, values] = [map.data, y!.data as BigInt64Array, r!.data as Float32Array];
    const pixels = theirs.length;
    for (let p = 0; p < pixels; p++)
      if (ours[p] !== theirs[p])
        expect(values[Number(theirs[p]) * pixels + p]! - values[Number(ours[p]) * pixels + p]!).toBeLessThan(
          4e-6,
        );
  });

  it('ConvTranspose, with weights as the graph holds them', async () => {
    const [x, w] = [floats([1, 6, 9, 7], 7), floats([6, 4, 4, 4], 8)];
    const run = await session({
      nodes: [
        node('ConvTranspose', ['x', 'w'], ['y'], {
          kernel_shape: [4, 4],
          strides: [2, 2],
          pads: [1, 1, 1, 1],
        }),
      ],
      initializers: [initializer('w', 'float32', w.dims, w.data)],
      inputs: [{ name: 'x', type: 'float32', dims: x.dims }],
      outputs: [{ name: 'y', type: 'float32', dims: [1, 4, 18, 14] }],
    });
    const { y } = await run({ x });
    expect(apart(await convTranspose2d(x, w, { stride: 2, padding: 1 }), y!)).toBeLessThan(1e-5);
    using layer = prepareConvTranspose2d(w, { stride: 2, padding: 1 });
    expect(apart(await layer.run(x), y!)).toBeLessThan(1e-5);
  });
});
