/** Sixteen-bit floating-point formats as bits: IEEE 754 binary16 (float16) and bfloat16. */
import { endianness } from 'node:os';

const word = new DataView(new ArrayBuffer(4));

function roundHalfEven(v: number): number {
  const low = Math.floor(v);
  const rest = v - low;
  if (rest < 0.5) return low;
  if (rest > 0.5) return low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** float16 bits to a number. */
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

/** bfloat16 bits, the upper half of a float32, to float32. Exact. */
export function fromBfloat16(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length);
  const halves = new Uint16Array(out.buffer);
  const high = endianness() === 'LE' ? 1 : 0;
  for (let i = 0; i < bits.length; i++) halves[2 * i + high] = bits[i]!;
  return out;
}

/** float32 to bfloat16 bits, ties to even; a NaN stays one. */
export function toBfloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const w = words[i]!;
    out[i] = (w & 0x7fffffff) > 0x7f800000 ? (w >>> 16) | 0x40 : (w + 0x7fff + ((w >>> 16) & 1)) >>> 16;
  }
  return out;
}
