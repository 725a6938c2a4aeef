/** Public conformance cases: where they are, how their tensors are read and how results are compared with them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromHalf } from '../../src/reference/elements.js';
import { allocate, type DataType, type Tensor } from '../../src/tensor.js';

/** UPSAMPLING_CONFORMANCE, or ../shared/conformance beside the repository; undefined where neither is there. */
export const conformanceFolder: string | undefined = [
  process.env.UPSAMPLING_CONFORMANCE,
  fileURLToPath(new URL('../../../shared/conformance', import.meta.url)),
  fileURLToPath(new URL('../../../../shared/conformance', import.meta.url)),
].find((folder) => folder !== undefined && existsSync(folder));

export interface StoredTensor {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly data?: readonly (number | string)[];
  readonly b64?: string;
  /** Only every lattice[i]-th element along axis i is stored; the others are `fill`. */
  readonly lattice?: readonly number[];
  readonly fill?: number;
}

export interface Tolerance {
  readonly rtol?: number;
  readonly atol?: number;
  readonly ulp?: number;
}

export interface ConformanceCase extends Tolerance {
  readonly name: string;
  readonly op: string;
  readonly opset?: number;
  readonly inputs: (StoredTensor | null)[] & Record<string, StoredTensor>;
  readonly attributes?: Record<string, unknown>;
  readonly options?: Record<string, unknown>;
  readonly expected: readonly StoredTensor[];
  readonly graph?: unknown;
}

/** The cases of one kind ('onnx', 'wpt') by file, in order. */
export function conformanceCases(kind: string): { file: string; cases: ConformanceCase[] }[] {
  const folder = join(conformanceFolder!, kind);
  return readdirSync(folder)
    .sort()
    .map((file) => ({
      file,
      cases: (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { cases: ConformanceCase[] }).cases,
    }));
}

export function readTensor(t: StoredTensor): Tensor {
  const stored = t.lattice === undefined ? t.dims : t.dims.map((d, i) => Math.ceil(d / t.lattice![i]!));
  const { data } = allocate('test', t.type, stored);
  if (t.b64 !== undefined)
    Buffer.from(t.b64, 'base64').copy(new Uint8Array(data.buffer as ArrayBuffer, 0, data.byteLength));
  else for (const [i, v] of t.data!.entries()) data[i] = typeof data[0] === 'bigint' ? BigInt(v) : special(v);
  if (t.lattice === undefined) return { type: t.type, data, dims: [...t.dims] };
  const whole = allocate('test', t.type, t.dims);
  whole.data.fill(t.fill as never);
  for (let i = 0; i < data.length; i++) {
    let rest = i;
    let at = 0;
    let stride = 1;
    for (let k = t.dims.length - 1; k >= 0; k--) {
      at += (rest % stored[k]!) * t.lattice[k]! * stride;
      rest = Math.floor(rest / stored[k]!);
      stride *= t.dims[k]!;
    }
    whole.data[at] = data[i] as never;
  }
  return whole;
}

const special = (v: number | string): number => Number(v);

const values = (t: Tensor): number[] =>
  Array.from(
    t.data.subarray(
      0,
      t.dims.reduce((a, b) => a * b, 1),
    ) as Iterable<number>,
    (v) => (t.type === 'float16' ? fromHalf(v) : Number(v)),
  );

/** Position on the line of representable values, so that neighbours are 1 apart. */
function ordinal(type: DataType, v: number): number {
  if (type === 'float16') {
    // float16 values are ordered like their bits; found by way of the float32 exponent.
    const m = Math.abs(v);
    if (m === 0) return 0;
    const e = Math.max(Math.floor(Math.log2(m)), -14);
    const at =
      (e + 14) * 1024 + (m / 2 ** e - (e === -14 && m < 2 ** -14 ? 0 : 1)) * 1024 + (m < 2 ** -14 ? 0 : 1024);
    return Math.sign(v) * at;
  }
  if (type !== 'float32') return v;
  const bits = new Int32Array(Float32Array.of(v).buffer)[0]!;
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
}

/** The distance in units in the last place; NaN equals NaN. */
export function ulpDistance(type: DataType, a: number, b: number): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  if (type === 'float64')
    return Math.abs(a - b) / (2 ** -52 * Math.max(Math.abs(a), Math.abs(b), 2 ** -1022));
  return Math.abs(ordinal(type, a) - ordinal(type, b));
}

/** What is wrong with a result, or nothing. */
export function mismatch(got: Tensor, stored: StoredTensor, t: Tolerance): string | undefined {
  const want = readTensor(stored);
  if (got.type !== want.type) return `type ${got.type}, expected ${want.type}`;
  if (got.dims.join() !== want.dims.join()) return `dims [${got.dims}], expected [${want.dims}]`;
  const [g, w] = [values(got), values(want)];
  for (let i = 0; i < w.length; i++) {
    if (Object.is(g[i], w[i]) || g[i] === w[i]) continue;
    const close =
      t.ulp !== undefined
        ? ulpDistance(want.type, g[i]!, w[i]!) <= t.ulp
        : Math.abs(g[i]! - w[i]!) <= (t.atol ?? 0) + (t.rtol ?? 0) * Math.abs(w[i]!);
    if (!close) return `element ${i}: expected ${w[i]}, got ${g[i]}`;
  }
  return undefined;
}

/**
 * The largest distance in units in the last place. Cancellation leaves small values any number of their own units away, so
 * values below half of the largest are measured in its units.
 */
export function worstUlp(type: DataType, got: ArrayLike<number>, want: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < want.length; i++)
    if (Number.isFinite(want[i])) largest = Math.max(largest, Math.abs(want[i]!));
  const epsilon = type === 'float64' ? 2 ** -52 : type === 'float16' ? 2 ** -10 : 2 ** -23;
  let worst = 0;
  for (let i = 0; i < want.length; i++) {
    const [g, w] = [got[i]!, want[i]!];
    if (g === w || (Number.isNaN(g) && Number.isNaN(w))) continue;
    const small = Math.abs(w) < largest / 2;
    const unit = 2 ** Math.floor(Math.log2(largest / 2)) * epsilon;
    worst = Math.max(
      worst,
      small && type.startsWith('float') ? Math.abs(g - w) / unit : ulpDistance(type, g, w),
    );
  }
  return Math.ceil(worst);
}

/**
 * The largest distance of a result from what is stored, in units in the last place. Some of ONNX's node tests write what they
 * expect with four decimals, not always the nearest: within one of those a value counts as equal.
 */
export function storedUlp(got: Tensor, stored: StoredTensor): number {
  const [g, w] = [values(got), values(readTensor(stored))];
  const decimal = w.every((v) => Math.fround(short(v)) === v) && w.some((v) => short(v) !== v);
  return worstUlp(stored.type, decimal ? g.map((v, i) => (Math.abs(v - w[i]!) < 1e-4 ? w[i]! : v)) : g, w);
}

const short = (v: number): number => Number(v.toFixed(4));
