/**
 * Reading and writing elements as float64, the reference's only number type. Moves go through `raw`, which keeps the
 * bits (a NaN's payload, an int64).
 */
import { fromHalf, toHalf } from '../half.js';
import type { DataType, TypedArray } from '../tensor.js';

export { fromHalf, toHalf };

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
    case 'bool':
      throw new Error('the reference does not compute in bool');
    default: {
      // Clamped as integers: the largest of 64 bits are no float64.
      const bits = Number(/\d+$/.exec(type)![0]);
      const signed = !type.startsWith('u');
      const [low, high] = signed
        ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]
        : [0n, 2n ** BigInt(bits) - 1n];
      const wide = typeof data[0] === 'bigint';
      return (i, v) => {
        const rounded = BigInt(roundHalfEven(v));
        const value = rounded < low ? low : rounded > high ? high : rounded;
        data[i] = (wide ? value : Number(value)) as never;
      };
    }
  }
}

export function roundHalfEven(v: number): number {
  const low = Math.floor(v);
  const rest = v - low;
  if (rest < 0.5) return low;
  if (rest > 0.5) return low + 1;
  return low % 2 === 0 ? low : low + 1;
}
