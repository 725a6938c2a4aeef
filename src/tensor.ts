/**
 * Tensors: what is accepted, what is returned. No operators here.
 *
 * A tensor is plain data in row-major order. Anything with `data` and `dims` will do, so a tensor of onnxruntime, of
 * transformers.js or a literal goes straight in, and results go straight back.
 */
import { totalmem } from 'node:os';
import { ArgumentError, mustBe, refuse } from './errors.js';

/** Element types, in onnxruntime's words. float16 travels as Uint16Array, bool as Uint8Array. */
export type DataType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool';

/** The typed arrays that hold tensor elements. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** What operators accept. `type` may be left out where the array says it; float16 and bool need it. */
export interface TensorLike {
  readonly data: unknown;
  readonly dims: readonly number[];
  readonly type?: string | undefined;
}

/** What operators return. */
export interface Tensor {
  readonly type: DataType;
  readonly data: TypedArray;
  readonly dims: number[];
  /** Where the data is, always the processor's memory; onnxruntime asks this of what `session.run` is given. */
  readonly location?: 'cpu';
}

/** Memory order of a tensor with channels: channels before the spatial axes (nchw) or last (nhwc). */
export type Layout = 'nchw' | 'nhwc';

type TypedArrayConstructor = new (length: number) => TypedArray;

interface TypeFacts {
  /** Code that crosses the border to C++ (native/ops/types.h lists the same order). */
  readonly code: number;
  readonly bytes: number;
  readonly array: TypedArrayConstructor;
}

const TYPES: Readonly<Record<DataType, TypeFacts>> = {
  float32: { code: 0, bytes: 4, array: Float32Array },
  float64: { code: 1, bytes: 8, array: Float64Array },
  float16: { code: 2, bytes: 2, array: Uint16Array },
  uint8: { code: 3, bytes: 1, array: Uint8Array },
  int8: { code: 4, bytes: 1, array: Int8Array },
  uint16: { code: 5, bytes: 2, array: Uint16Array },
  int16: { code: 6, bytes: 2, array: Int16Array },
  int32: { code: 7, bytes: 4, array: Int32Array },
  uint32: { code: 8, bytes: 4, array: Uint32Array },
  int64: { code: 9, bytes: 8, array: BigInt64Array },
  uint64: { code: 10, bytes: 8, array: BigUint64Array },
  bool: { code: 11, bytes: 1, array: Uint8Array },
};

/** All element types. */
export const DATA_TYPES = Object.keys(TYPES) as DataType[];

/** Types that can be computed with; the rest can only be moved. */
export const NUMERIC: readonly DataType[] = ['float32', 'float64', 'float16', 'uint8', 'int8'];

export const bytesOf = (type: DataType): number => TYPES[type].bytes;
export const codeOf = (type: DataType): number => TYPES[type].code;

const BY_TAG: Readonly<Record<string, DataType>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Float16Array: 'float16',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  Int8Array: 'int8',
  Uint16Array: 'uint16',
  Int16Array: 'int16',
  Int32Array: 'int32',
  Uint32Array: 'uint32',
  BigInt64Array: 'int64',
  BigUint64Array: 'uint64',
};

/** %TypedArray%[Symbol.toStringTag]: the array's kind, also across realms and for Buffer. Undefined for all else. */
const tagOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get as (this: unknown) => string | undefined;

/** The number of elements of `dims`; refuses products beyond 2^53. */
export function sizeOf(op: string, param: string, dims: readonly number[]): number {
  let n = 1;
  for (let i = 0; i < dims.length; i++) n *= dims[i]!;
  if (n > Number.MAX_SAFE_INTEGER)
    refuse(op, param, `${param} has too many elements: dims [${dims.join(', ')}]`, 'ERR_UPSAMPLING_SHAPE');
  return n;
}

/**
 * A checked tensor as the operators use it. `data` is the caller's own memory (never a copy); a Float16Array or a
 * Uint8ClampedArray is looked at through the array type that the addon reads.
 */
export function asTensor(op: string, param: string, value: TensorLike): Tensor {
  if (value === null || typeof value !== 'object')
    mustBe(op, param, 'a tensor { data, dims }', value, 'ERR_UPSAMPLING_ARGUMENT');
  const { data, dims } = value;
  const tag = tagOf.call(data);
  if (tag === undefined) mustBe(op, `${param}.data`, 'a typed array', data, 'ERR_UPSAMPLING_TYPE');
  const own = BY_TAG[tag];
  if (own === undefined)
    mustBe(op, `${param}.data`, 'a typed array of a known kind', data, 'ERR_UPSAMPLING_TYPE');
  const type = value.type === undefined ? own : (value.type as DataType);
  if (type !== own) {
    const facts = TYPES[type];
    if (facts === undefined)
      mustBe(op, `${param}.type`, `one of ${DATA_TYPES.join(', ')}`, value.type, 'ERR_UPSAMPLING_TYPE');
    const fits = (type === 'bool' && own === 'uint8') || (type === 'float16' && own === 'uint16');
    if (!fits)
      refuse(
        op,
        `${param}.type`,
        `${param}.type ${type} does not fit its data, a ${tag}`,
        'ERR_UPSAMPLING_TYPE',
      );
  }
  if (!Array.isArray(dims)) mustBe(op, `${param}.dims`, 'an array of extents', dims, 'ERR_UPSAMPLING_SHAPE');
  let size = 1;
  for (let i = 0; i < dims.length; i++) {
    const d = dims[i] as number;
    if (!Number.isInteger(d) || d < 0 || d > 0x7fffffff)
      mustBe(op, `${param}.dims`, 'non-negative integers below 2^31', dims, 'ERR_UPSAMPLING_SHAPE');
    size *= d;
  }
  const array = data as TypedArray;
  checkBuffer(op, param, array);
  if (array.length < size || size > Number.MAX_SAFE_INTEGER) {
    refuse(
      op,
      `${param}.data`,
      `${param}.data holds ${array.length} elements, fewer than dims [${dims.join(', ')}] say`,
      'ERR_UPSAMPLING_SHAPE',
    );
  }
  return {
    type,
    data: tag === 'Float16Array' || tag === 'Uint8ClampedArray' ? plainView(array) : array,
    dims: dims as number[],
  };
}

/** The array through a type the addon knows: float16 as uint16, clamped bytes as bytes. Same memory. */
function plainView(a: TypedArray): TypedArray {
  const view = a.BYTES_PER_ELEMENT === 2 ? Uint16Array : Uint8Array;
  return new view(a.buffer as ArrayBuffer, a.byteOffset, a.length);
}

/**
 * Refuses memory that could vanish while C++ reads it. Resizable buffers can shrink under a running job (seen: a
 * crash), so they are refused whole; a detached buffer has nothing to read.
 */
function checkBuffer(op: string, param: string, a: TypedArray): void {
  const buffer = a.buffer as ArrayBuffer & { resizable?: boolean; growable?: boolean; detached?: boolean };
  if (buffer.resizable === true || buffer.growable === true)
    refuse(
      op,
      `${param}.data`,
      `${param}.data must not be on a resizable buffer, copy it first`,
      'ERR_UPSAMPLING_BUFFER',
    );
  // A detached view reads as zero length at offset zero of a zero-length buffer; Node 20 has no `detached`.
  if (a.length === 0 && buffer.byteLength === 0 && isDetached(buffer))
    refuse(
      op,
      `${param}.data`,
      `${param}.data must not be on a detached buffer (it was transferred)`,
      'ERR_UPSAMPLING_BUFFER',
    );
}

function isDetached(buffer: ArrayBufferLike & { detached?: boolean }): boolean {
  if (buffer.detached !== undefined) return buffer.detached;
  try {
    new Uint8Array(buffer as unknown as ArrayBuffer);
    return false;
  } catch {
    return true;
  }
}

/** `size` elements of a buffer, from a byte offset on, as the array of a type. */
export function arrayOn(type: DataType, buffer: ArrayBuffer, size: number, offset = 0): TypedArray {
  const view = TYPES[type].array as unknown as new (b: ArrayBuffer, offset: number, n: number) => TypedArray;
  return new view(buffer, offset, size);
}

/** Above this a result is checked against the memory of the machine before it is asked for. */
const LARGE_RESULT = 256 * 1024 * 1024;

/** A new tensor, uninitialised as far as operators are concerned. Throws ERR_UPSAMPLING_MEMORY when it cannot be had. */
export function allocate(op: string, type: DataType, dims: readonly number[]): Tensor {
  const size = sizeOf(op, 'the result', dims);
  const facts = TYPES[type];
  refuseBeyondMemory(op, size * facts.bytes, dims);
  try {
    return { type, data: new facts.array(size), dims: dims.slice(), location: 'cpu' };
  } catch (error) {
    throw new ArgumentError(
      'ERR_UPSAMPLING_MEMORY',
      op,
      'out',
      `${op}: the result of dims [${dims.join(', ')}] needs ${size * facts.bytes} bytes, which cannot be allocated (${(error as Error).message})`,
    );
  }
}

/**
 * Refuses a resize to `outSizes` that this machine cannot hold, in the smallest element type there is and with its tables: before the
 * tables are made, which alone could be too large.
 */
export function refuseExtents(op: string, outSizes: readonly number[]): void {
  let size = 1;
  let tables = 0;
  for (const n of outSizes) {
    size *= n;
    tables += 12 * n;
  }
  refuseBeyondMemory(op, Math.max(size, tables), outSizes);
}

function refuseBeyondMemory(op: string, bytes: number, dims: readonly number[]): void {
  if (bytes > LARGE_RESULT && bytes > machineMemory())
    throw new ArgumentError(
      'ERR_UPSAMPLING_MEMORY',
      op,
      'out',
      `${op}: the result of dims [${dims.join(', ')}] would need ${bytes} bytes, more than this machine has`,
    );
}

function machineMemory(): number {
  const limit = process.constrainedMemory();
  const whole = totalmem();
  return limit !== undefined && limit > 0 && limit < whole ? limit : whole;
}

/** True when two arrays share bytes. */
export function overlap(a: TypedArray, b: TypedArray): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  );
}
