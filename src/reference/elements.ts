/**
 * Reading and writing elements as float64, the reference's only number type. Moves go through `raw`, which keeps the
 * bits (a NaN's payload, an int64).
 */
import type { DataType, TypedArray } from '../tensor.js';

/** element i of `data` as a float64 */
export function reader(type: DataType, data: TypedArray): (i: number) => number {
  if (type === 'float16') return (i) => fromHalf(data[i] as number);
  return (i) => Number(data[i]);
}

/** Writes float64 values, rounded once to the element type: ties to even, integers clamped, float16 by way of float32. */
export function writer(type: DataType, data: TypedArray): (i: number, v: number) => void {
  switch (type) {
    case 'float16':
      return (i, v) => {
        (data as Uint16Array)[i] = toHalf(Math.fround(v));
      };
    case 'float32':
    case 'float64':
      return (i, v) => {
        (data as Float64Array)[i] = v;
      };
    case 'uint8':
    case 'int8': {
      const [low, high] = type === 'uint8' ? [0, 255] : [-128, 127];
      return (i, v) => {
        (data as Int8Array)[i] = Math.min(Math.max(roundHalfEven(Math.fround(v)), low), high);
      };
    }
    default:
      throw new Error(`the reference does not compute in ${type}`);
  }
}

export function roundHalfEven(v: number): number {
  const low = Math.floor(v);
  const rest = v - low;
  if (rest < 0.5) return low;
  if (rest > 0.5) return low + 1;
  return low % 2 === 0 ? low : low + 1;
}

const word = new DataView(new ArrayBuffer(4));

/** float16 bits to a number (IEEE 754 binary16). */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** A float32 number to float16 bits, ties to even. */
export function toHalf(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  if (Number.isNaN(value)) return sign | 0x7e00;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | roundHalfEven(magnitude * 2 ** 24);
  const exponent = ((bits >>> 23) & 255) - 127;
  return sign | ((exponent + 14) * 1024 + roundHalfEven((magnitude / 2 ** exponent) * 1024));
}
