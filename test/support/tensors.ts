/** Tensors for tests: inputs from a seed, outputs between sentinels. */
import { toHalf } from '../../src/reference/elements.js';
import { allocate, bytesOf, type DataType, type Tensor, type TypedArray } from '../../src/tensor.js';
import { random } from './random.js';

/** Plain data that makes a tensor; a failure message holds it, and it makes the tensor again. */
export interface TensorSpec {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly seed: number;
  /**
   * 'uniform': floats in [-1, 1), integers over the type's range. 'ties': few values, so that maxima tie. 'special': uniform with
   * NaN, infinities and zeros of both signs strewn in, 'stray' with very few of them. 'index': integers in [0, below).
   * 'spikes': zeros, with a few numbers of very different sizes. 'huge': uniform, so large that sums of a few overflow float32.
   * 'zeros': of both signs, and -1. 'depths': −∞, and -1 here and there.
   */
  readonly fill?: 'uniform' | 'ties' | 'special' | 'index' | 'stray' | 'spikes' | 'huge' | 'zeros' | 'depths';
  readonly below?: number;
}

const RANGES: Partial<Record<DataType, [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  bool: [0, 1],
};

/** The tensor of a spec, at an odd offset inside a larger buffer, as views of pooled buffers are. */
export function makeTensor(spec: TensorSpec): Tensor {
  const r = random(spec.seed);
  const { data, dims } = guarded(spec.type, spec.dims).tensor;
  const fill = spec.fill ?? 'uniform';
  const range = RANGES[spec.type];
  const half = spec.type === 'float16';
  for (let i = 0; i < data.length; i++) {
    let v: number;
    if (fill === 'index') v = r.int(0, spec.below! - 1);
    else if (fill === 'ties') v = r.int(0, 3);
    else if (fill === 'zeros') v = r.pick([0, -0, -1]);
    else if (fill === 'depths') v = r.chance(0.2) ? -1 : -Infinity;
    else if (range !== undefined) v = r.int(...range);
    else v = Math.fround(r.next() * 2 - 1);
    const odd = fill === 'special' ? 0.1 : fill === 'stray' ? 0.0003 : 0;
    if (odd > 0 && range === undefined && r.chance(odd)) v = r.pick([NaN, Infinity, -Infinity, 0, -0]);
    if (fill === 'spikes') v = r.chance(0.1) ? v * 2 ** r.int(-20, 20) : 0;
    if (fill === 'huge') v *= 2 ** 123;
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
      const big =
        fill === 'index' || fill === 'ties' ? BigInt(v) : BigInt(Math.floor(r.next() * 2 ** 52)) * 2048n;
      data[i] = spec.type === 'int64' && r.chance(0.5) && fill === 'uniform' ? -big : big;
    } else data[i] = half ? toHalf(v) : v;
  }
  return { type: spec.type, data, dims: [...dims] };
}

const MARGIN = 64;

/**
 * A tensor between two margins of sentinel bytes, filled with garbage: a kernel that writes outside changes a sentinel, and
 * one that forgets an element leaves garbage. The offset is odd in elements, so nothing is aligned by luck.
 */
export function guarded(type: DataType, dims: readonly number[]): { tensor: Tensor; intact: () => boolean } {
  const size = dims.reduce((a, b) => a * b, 1);
  const bytes = bytesOf(type);
  const before = MARGIN + bytes;
  const whole = new Uint8Array(before + size * bytes + MARGIN);
  whole.fill(0xa5);
  const Arrays = allocate('test', type, [0]).data.constructor as new (
    b: ArrayBuffer,
    o: number,
    n: number,
  ) => TypedArray;
  const data = new Arrays(whole.buffer, before, size);
  const inside = new Uint8Array(whole.buffer, before, size * bytes);
  for (let i = 0; i < inside.length; i++) inside[i] = 0x7f ^ (i * 37);
  const intact = () =>
    whole.subarray(0, before).every((b) => b === 0xa5) &&
    whole.subarray(before + size * bytes).every((b) => b === 0xa5);
  return { tensor: { type, data, dims: [...dims] }, intact };
}

/** The bytes of an array, to compare bits. */
export const bitsOf = (a: TypedArray): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
