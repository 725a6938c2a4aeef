/** The golden vectors of test/golden: what PyTorch answered, and how we are compared with it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';
import * as root from '../../src/index.js';
import { roundHalfEven, toHalf } from '../../src/reference/elements.js';
import * as reference from '../../src/reference.js';
import { allocate, bytesOf, type DataType, type Tensor, type TypedArray } from '../../src/tensor.js';
import { numbers } from './compare.js';
import { worstUlp } from './conformance.js';

export const GOLDEN_FILES = [
  'interpolate',
  'pools',
  'convolutions',
  'others',
  'float16',
  'channels-last',
] as const;

/** An input by its seed; test/golden/generate.py makes the same. */
interface GoldenInput {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly seed: number;
  readonly fill?: 'uniform' | 'ties' | 'special' | 'unpool';
  readonly reach?: number;
  readonly window?: number;
  readonly plane?: readonly number[];
  /** Unpooling indices with channels last. */
  readonly last?: boolean;
}

export interface GoldenCase {
  readonly op: string;
  readonly inputs: readonly GoldenInput[];
  readonly options: Readonly<Record<string, unknown>>;
  /** Dims of the outputs. */
  readonly out: readonly (readonly number[])[];
  readonly expected: readonly Tensor[];
}

export interface GoldenFile {
  readonly source: string;
  readonly cases: readonly GoldenCase[];
}

export function goldenFile(name: string): GoldenFile {
  const path = fileURLToPath(new URL(`../golden/${name}.json`, import.meta.url));
  const stored = JSON.parse(readFileSync(path, 'utf8')) as GoldenFile & { data: string };
  const bytes = inflateSync(Buffer.from(stored.data, 'base64'));
  let at = 0;
  const cases = stored.cases.map((c) => ({
    ...c,
    expected: c.out.map((dims, k): Tensor => {
      const t = allocate('golden', k === 0 ? c.inputs[0]!.type : 'int32', dims);
      const size = t.data.length * bytesOf(t.type);
      bytes.copy(new Uint8Array(t.data.buffer as ArrayBuffer), 0, at, at + size);
      at += size;
      return t;
    }),
  }));
  if (at !== bytes.length) throw new Error(`${name}: ${bytes.length} bytes are stored, its cases have ${at}`);
  return { source: stored.source, cases };
}

/** The finaliser of murmur3 over seed and position. */
function hash32(seed: number, i: number): number {
  let h = (Math.imul(i, 0x9e3779b9) + seed) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

const SPECIAL = [NaN, Infinity, -Infinity, 0, -0];

export function goldenInput(spec: GoldenInput): Tensor {
  const t = allocate('golden', spec.type, spec.dims);
  for (let i = 0; i < t.data.length; i++) {
    if (spec.fill === 'unpool') {
      const at = spec.last === true ? planar(spec.dims, i) : i;
      t.data[i] = BigInt(unpoolIndex(spec, at, hash32(spec.seed, at)));
      continue;
    }
    const h = hash32(spec.seed, i);
    let v: number;
    if (spec.fill === 'ties') v = h % 4;
    else if (spec.type.startsWith('float')) {
      v = (h >>> 8) / 2 ** 23 - 1;
      if (spec.type === 'float16') v = roundHalfEven(v * 1024) / 1024;
      v *= spec.reach ?? 1;
    } else v = (h % 256) + (spec.type === 'uint8' ? 0 : -128);
    if (spec.fill === 'special') {
      const g = hash32(spec.seed + 1, i);
      if (g % 10 === 0) v = SPECIAL[(g >>> 8) % 5]!;
    }
    t.data[i] = typeof t.data[i] === 'bigint' ? BigInt(v) : spec.type === 'float16' ? toHalf(v) : v;
  }
  return t;
}

/** Where element i of (N, spatial…, C) stands in (N, C, spatial…). */
function planar(dims: readonly number[], i: number): number {
  const channels = dims.at(-1)!;
  const pixels = dims.slice(1, -1).reduce((p, d) => p * d, 1);
  const pixel = Math.floor(i / channels);
  return (Math.floor(pixel / pixels) * channels + (i % channels)) * pixels + (pixel % pixels);
}

/** One index per window: distinct, since the windows do not overlap. */
function unpoolIndex({ dims, window, plane, last }: GoldenInput, i: number, h: number): number {
  const sizes = last === true ? dims.slice(1, -1) : dims.slice(-plane!.length);
  const below = sizes.map((_, a) => sizes.slice(a + 1).reduce((p, d) => p * d, 1));
  return sizes.reduce(
    (index, d, a) =>
      index * plane![a]! + (Math.floor(i / below[a]!) % d) * window! + ((h >>> (4 * a)) % window!),
    0,
  );
}

type Run = (...args: unknown[]) => Tensor | { output: Tensor; indices: Tensor };

/** Runs a case with a set of functions: the package's own, or those of the reference. */
function run(functions: object, c: GoldenCase, inputs: readonly Tensor[]): Tensor[] {
  const f = (functions as Record<string, Run>)[`${c.op}Sync`];
  if (f === undefined) throw new Error(`there is no ${c.op}Sync`);
  const convolution = c.op.startsWith('conv');
  const tensors = convolution ? inputs.slice(0, 2) : inputs;
  const options = convolution && inputs.length > 2 ? { ...c.options, bias: inputs[2] } : c.options;
  const result = f(...tensors, options);
  return 'output' in result ? [result.output, result.indices] : [result];
}

/** True where only equal bits will do (any NaN equals any NaN). */
const moves = (c: GoldenCase): boolean =>
  /^(max|adaptiveMax|pixel)/.test(c.op) ||
  (/^(interpolate|gridSample)$/.test(c.op) && String(c.options.mode ?? '').startsWith('nearest'));

/**
 * How far two correct answers may lie apart: both ours and PyTorch's own rounding, (K + 4)·u·Σ|w·x| each, and PyTorch's
 * coordinates in float32, which move a position of up to `extent` pixels by a few units of its own.
 */
function bound(c: GoldenCase, inputs: readonly Tensor[]): (i: number) => number {
  const { type } = c.inputs[0]!;
  const u = type === 'float64' ? 2 ** -53 : 2 ** -24;
  const spatial = (dims: readonly number[]) =>
    c.options.layout === 'nhwc' ? dims.slice(1, -1) : dims.slice(2);
  // PyTorch rounds to float16 after every pass, so up to three times.
  const roundings = type === 'float16' ? 4 * 2 ** -11 : 0;
  if (c.op === 'interpolate' || c.op === 'gridSample') {
    const extent = Math.max(...spatial(c.inputs[0]!.dims), ...spatial(c.out[0]!));
    const reach = Math.max(1, c.inputs[1]?.reach ?? 1);
    return () => u * (32 + 16 * extent * reach) + roundings;
  }
  const absolute = inputs.map((t) => ({ ...t, data: t.data.map(Math.abs as never) as TypedArray }));
  const magnitude = run(reference, c, absolute)[0]!.data as Float64Array;
  const weight = c.inputs[1]?.dims ?? [];
  const products = c.op.startsWith('conv')
    ? weight.reduce((p, d) => p * d, 1) / Math.min(weight[0]!, weight[1]!)
    : spatial(c.inputs[0]!.dims).reduce((p, d) => p * d, 1);
  return (i) => (2 * (products + 4) * u + roundings) * Math.abs(magnitude[i]!);
}

export interface GoldenResult {
  /** What is wrong, or nothing. */
  readonly problem: string | undefined;
  /** The largest distance in units in the last place, of values not far below the largest of the output. */
  readonly ulp: number;
}

/** Compares one case with PyTorch's answer. */
export function compareGolden(c: GoldenCase): GoldenResult {
  const inputs = c.inputs.map(goldenInput);
  const got = run(root, c, inputs);
  const exact = moves(c);
  const allowed = exact ? undefined : bound(c, inputs);
  let ulp = 0;
  for (const [k, want] of c.expected.entries()) {
    const y = got[k]!;
    if (y.type !== want.type || y.dims.join() !== want.dims.join())
      return {
        problem: `output ${k}: ${y.type} [${y.dims}], expected ${want.type} [${want.dims}]`,
        ulp: Infinity,
      };
    const [a, e] = [numbers(y.type, y.data), numbers(want.type, want.data)];
    for (let i = 0; i < e.length; i++) {
      const same = a[i] === e[i] || (Number.isNaN(a[i]!) && Number.isNaN(e[i]!));
      if (same && (!exact || e[i] !== 0 || Object.is(a[i], e[i]))) continue;
      if (exact || !(Math.abs(a[i]! - e[i]!) <= allowed!(i)))
        return {
          problem: `output ${k} element ${i}: PyTorch says ${e[i]}, got ${a[i]}${exact ? '' : ` (allowed ± ${allowed!(i)})`}`,
          ulp: Infinity,
        };
    }
    ulp = Math.max(ulp, worstUlp(want.type, a, e));
  }
  return { problem: undefined, ulp };
}

/** What to paste to run one case alone. */
export const goldenRerun = (file: string, index: number): string =>
  `rerun with: UPSAMPLING_GOLDEN='${file}:${index}' npm test -- test/golden/golden.test.ts`;
