/**
 * NumPy's .npy format (versions 1 to 3): bytes ↔ Tensor.
 *
 * Nothing in the header is trusted: it is parsed by a grammar of its own, not evaluated, and the length of the data must
 * be what the header says before anything is allocated.
 * Source: numpy.lib.format, NumPy 2.x.
 */
import { endianness } from 'node:os';
import { refuse } from '../errors.js';
import {
  arrayOn,
  asTensor,
  bytesOf,
  type DataType,
  type Tensor,
  type TensorLike,
  type TypedArray,
} from '../tensor.js';

const OP = 'npy';
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const LITTLE = endianness() === 'LE';

const TYPE_OF: Readonly<Record<string, DataType>> = {
  f4: 'float32',
  f8: 'float64',
  f2: 'float16',
  u1: 'uint8',
  i1: 'int8',
  u2: 'uint16',
  i2: 'int16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
  b1: 'bool',
};

/** True when the bytes begin as a .npy file does. */
export const isNpy = (bytes: Uint8Array): boolean =>
  bytes.length >= MAGIC.length && MAGIC.every((b, i) => bytes[i] === b);

/**
 * A .npy file as a tensor in row-major order. The data is looked at in place where its alignment, byte order and order of
 * axes allow, and copied where not. `name` stands in messages, which give the byte offset of what is wrong.
 * Throws ERR_UPSAMPLING_FILE.
 */
export function readNpy(bytes: Uint8Array, name = 'the .npy file'): Tensor {
  const fail = (at: number, what: string): never =>
    refuse(OP, name, `${name} is not a readable .npy file: ${what} at byte ${at}`, 'ERR_UPSAMPLING_FILE');
  if (!isNpy(bytes)) return fail(0, 'no \\x93NUMPY signature');
  if (bytes.length < 10) return fail(bytes.length, 'the file ends inside its header');
  const version = bytes[6]!;
  if (version < 1 || version > 3) return fail(6, `format version ${version}, where 1, 2 or 3 is known`);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) return fail(bytes.length, 'the file ends inside its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const dataStart = start + headerLength;
  if (dataStart > bytes.length)
    return fail(8, `a header of ${headerLength} bytes in a file of ${bytes.length}`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, headerLength).toString(
    version === 3 ? 'utf8' : 'latin1',
  );
  const header = parseHeader(text, (at, what) => fail(start + at, what));
  const { order, type } = header;
  let size = 1;
  for (const d of header.dims) size *= d;
  const wanted = size * bytesOf(type);
  const there = bytes.length - dataStart;
  if (!Number.isSafeInteger(wanted) || wanted !== there)
    return fail(dataStart, `${there} bytes of data where ${type} of shape (${header.dims}) needs ${wanted}`);
  const turned = bytesOf(type) > 1 && order !== '=' && (order === '>') === LITTLE;
  let data = arrayOver(bytes, dataStart, type, size, turned);
  if (turned) swapBytes(data);
  if (header.fortran && header.dims.length > 1) data = toRowMajor(data, header.dims, type);
  return { type, data, dims: header.dims };
}

/** The elements at `start`: in place if the address is a multiple of the element size and no copy is asked for. */
function arrayOver(
  bytes: Uint8Array,
  start: number,
  type: DataType,
  size: number,
  copy: boolean,
): TypedArray {
  const at = bytes.byteOffset + start;
  if (!copy && at % bytesOf(type) === 0) return arrayOn(type, bytes.buffer as ArrayBuffer, size, at);
  return arrayOn(type, new Uint8Array(bytes.subarray(start)).buffer, size);
}

function swapBytes(data: TypedArray): void {
  const raw = Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  if (data.BYTES_PER_ELEMENT === 2) raw.swap16();
  else if (data.BYTES_PER_ELEMENT === 4) raw.swap32();
  else raw.swap64();
}

/** From column-major (the first axis fastest) to row-major. */
function toRowMajor(data: TypedArray, dims: readonly number[], type: DataType): TypedArray {
  const out = arrayOn(type, new ArrayBuffer(data.byteLength), data.length);
  const stride: number[] = [];
  let below = 1;
  for (const d of dims) {
    stride.push(below);
    below *= d;
  }
  const at = new Array<number>(dims.length).fill(0);
  let from = 0;
  for (let i = 0; i < data.length; i++) {
    out[i] = data[from]!;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += stride[axis]!;
      if (++at[axis]! < dims[axis]!) break;
      from -= stride[axis]! * dims[axis]!;
      at[axis] = 0;
    }
  }
  return out;
}

interface Header {
  readonly type: DataType;
  /** Byte order: '<' little, '>' big, '=' does not matter. */
  readonly order: '<' | '>' | '=';
  readonly fortran: boolean;
  readonly dims: number[];
}

/**
 * The header is a Python dictionary literal with three keys:
 * {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 */
function parseHeader(text: string, fail: (at: number, what: string) => never): Header {
  let at = 0;
  const take = (pattern: RegExp, what: string): string => {
    const sticky = new RegExp(`\\s*(${pattern.source})`, 'y');
    sticky.lastIndex = at;
    const m = sticky.exec(text);
    if (m === null) return fail(at, `${what} expected`);
    at = sticky.lastIndex;
    return m[1]!;
  };
  const next = (): string => /\S/.exec(text.slice(at))?.[0] ?? '';
  let type: DataType | undefined;
  let order: Header['order'] = '=';
  let fortran: boolean | undefined;
  let dims: number[] | undefined;
  take(/\{/, 'the dictionary');
  while (next() !== '}') {
    const keyAt = at;
    const key = take(/'[^'\\]*'|"[^"\\]*"/, 'a key').slice(1, -1);
    take(/:/, 'a colon');
    if (key === 'descr' && type === undefined) {
      if (next() === '[') return fail(at, 'a structured element type, which is no tensor');
      const descrAt = at;
      const descr = take(/'[^'\\]*'|"[^"\\]*"/, 'the element type').slice(1, -1);
      const m = /^([<>=|]?)([a-zA-Z]\d+)$/.exec(descr);
      type = m === null ? undefined : TYPE_OF[m[2]!];
      if (type === undefined)
        return fail(descrAt, `the element type ${JSON.stringify(descr)}, which no tensor can have`);
      order = m![1] === '>' ? '>' : m![1] === '<' ? '<' : '=';
    } else if (key === 'fortran_order' && fortran === undefined) {
      fortran = take(/True|False/, 'True or False') === 'True';
    } else if (key === 'shape' && dims === undefined) {
      take(/\(/, 'the shape');
      dims = [];
      while (next() !== ')') {
        const dimAt = at;
        const d = Number(take(/\d{1,15}/, 'an extent'));
        take(/L?/, 'an extent');
        if (d > 0x7fffffff) return fail(dimAt, `an extent of ${d}`);
        if (dims.push(d) > 64) return fail(dimAt, 'more than 64 axes');
        if (next() !== ')') take(/,/, 'a comma');
      }
      take(/\)/, 'the end of the shape');
    } else return fail(keyAt, `the key ${JSON.stringify(key)}, unknown or given twice,`);
    if (next() !== '}') take(/,/, 'a comma');
  }
  take(/\}/, 'the end of the dictionary');
  if (text.slice(at).trim() !== '') return fail(at, 'text after the dictionary');
  if (type === undefined || fortran === undefined || dims === undefined)
    return fail(at, 'a header without descr, fortran_order or shape');
  return { type, order, fortran, dims };
}

const DESCR = Object.fromEntries(Object.entries(TYPE_OF).map(([descr, type]) => [type, descr]));

/** A tensor as a .npy file of version 1: header and data, to be written one after the other. The data is not copied. */
export function writeNpy(tensor: TensorLike): [header: Uint8Array, data: Uint8Array] {
  const { type, data, dims } = asTensor(OP, 'tensor', tensor);
  const descr = `${bytesOf(type) === 1 ? '|' : LITTLE ? '<' : '>'}${DESCR[type]}`;
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
  // The data begins at a multiple of 64, as NumPy writes it.
  const header = Buffer.alloc(Math.ceil((10 + text.length + 1) / 64) * 64, ' ');
  header.set([...MAGIC, 1, 0]);
  header.writeUInt16LE(header.length - 10, 8);
  header.write(text, 10, 'latin1');
  header[header.length - 1] = 10;
  const size = dims.reduce((a, b) => a * b, 1);
  return [header, new Uint8Array(data.buffer, data.byteOffset, size * bytesOf(type))];
}
