/**
 * .safetensors: bytes ↔ tensors. Eight bytes of header length, a JSON header, the data.
 *
 * Nothing in the header is trusted: its length, every offset, every extent and element type is checked against the size
 * of the file before anything is allocated, and ranges may neither overlap nor leave holes, as the format demands.
 * Source: the format description of the safetensors project, version 0.5.
 */
import { endianness } from 'node:os';
import { refuse } from '../errors.js';
import { fromBfloat16, toBfloat16 } from '../half.js';
import {
  asTensor,
  bytesOf,
  type DataType,
  type Tensor,
  type TensorLike,
  type TypedArray,
} from '../tensor.js';
import type { Archive, ArchiveEntry } from './archive.js';

const OP = 'safetensors';

/** The format's own bound on its header. */
const MAX_HEADER = 100_000_000;
const MAX_RANK = 64;

interface Stored {
  readonly bytes: number;
  readonly type: DataType | undefined;
  readonly array: new (buffer: ArrayBuffer, offset: number, length: number) => TypedArray;
}

const DTYPES: Readonly<Record<string, Stored>> = {
  F32: { bytes: 4, type: 'float32', array: Float32Array },
  F64: { bytes: 8, type: 'float64', array: Float64Array },
  F16: { bytes: 2, type: 'float16', array: Uint16Array },
  BF16: { bytes: 2, type: 'float32', array: Uint16Array },
  U8: { bytes: 1, type: 'uint8', array: Uint8Array },
  I8: { bytes: 1, type: 'int8', array: Int8Array },
  U16: { bytes: 2, type: 'uint16', array: Uint16Array },
  I16: { bytes: 2, type: 'int16', array: Int16Array },
  U32: { bytes: 4, type: 'uint32', array: Uint32Array },
  I32: { bytes: 4, type: 'int32', array: Int32Array },
  U64: { bytes: 8, type: 'uint64', array: BigUint64Array },
  I64: { bytes: 8, type: 'int64', array: BigInt64Array },
  BOOL: { bytes: 1, type: 'bool', array: Uint8Array },
  // Known to the format, but no tensor of ours can have them: listed, never read.
  F8_E4M3: { bytes: 1, type: undefined, array: Uint8Array },
  F8_E5M2: { bytes: 1, type: undefined, array: Uint8Array },
  F8_E8M0: { bytes: 1, type: undefined, array: Uint8Array },
  C64: { bytes: 8, type: undefined, array: BigUint64Array },
};

/** True when the bytes begin as a .safetensors file does. */
export const isSafetensors = (bytes: Uint8Array): boolean =>
  bytes.length >= 9 && bytes[8] === 0x7b && bytes[6] === 0 && bytes[7] === 0;

/** An entry, with the bytes that it stands for. */
export interface SafetensorsEntry extends ArchiveEntry {
  readonly dims: readonly number[];
  /** The entry's bytes in the file, not copied. */
  readonly bytes: Uint8Array;
}

export interface Safetensors extends Archive {
  readonly entries: readonly SafetensorsEntry[];
}

/**
 * The tensors of a .safetensors file. bfloat16 is read as float32, which holds it exactly. `name` stands in messages, which
 * give the byte offset of what is wrong. Throws ERR_UPSAMPLING_FILE.
 */
export function readSafetensors(bytes: Uint8Array, name = 'the .safetensors file'): Safetensors {
  const fail = (at: number, what: string): never =>
    refuse(
      OP,
      name,
      `${name} is not a readable .safetensors file: ${what} at byte ${at}`,
      'ERR_UPSAMPLING_FILE',
    );
  if (bytes.length < 8) return fail(bytes.length, 'the file ends inside the length of its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER) return fail(0, `a header of ${length} bytes, where ${MAX_HEADER} is the most,`);
  if (8 + length > bytes.length) return fail(0, `a header of ${length} bytes in a file of ${bytes.length}`);
  const header = parseHeader(bytes.subarray(8, 8 + length), fail);
  const start = 8 + length;
  const room = bytes.length - start;
  const ranges: { name: string; begin: number; end: number }[] = [];
  const entries: SafetensorsEntry[] = [];
  let metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(header)) {
    if (key === '__metadata__') {
      metadata = readMetadata(value, fail);
      continue;
    }
    // Looked for only when it is needed: a header of many names would be searched many times.
    const bad = (sentence: string): never => fail(whereIs(bytes, start, key), sentence);
    const what = `the tensor ${JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}…` : key)}`;
    if (value === null || typeof value !== 'object' || Array.isArray(value))
      return bad(`${what} described by something other than an object`);
    const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
    const stored = typeof dtype === 'string' && Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype]! : undefined;
    if (stored === undefined) return bad(`${what} of the unknown dtype ${short(dtype)}`);
    if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isExtent))
      return bad(`${what} with the shape ${short(shape)}`);
    if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isOffset))
      return bad(`${what} with the data_offsets ${short(offsets)}`);
    const [begin, end] = offsets as [number, number];
    if (begin > end || end > room)
      return bad(`${what} at data_offsets [${begin}, ${end}], where ${room} bytes of data follow,`);
    const size = (shape as number[]).reduce((a, b) => a * b, 1);
    if (size * stored.bytes !== end - begin)
      return bad(`${what} of ${dtype} [${(shape as number[]).join(', ')}] with ${end - begin} bytes of data`);
    ranges.push({ name: what, begin, end });
    const slice = bytes.subarray(start + begin, start + end);
    entries.push({
      name: key,
      stored: dtype as string,
      type: stored.type,
      dims: (shape as number[]).slice(),
      bytes: slice,
      read: () => {
        if (stored.type === undefined)
          return fail(start + begin, `${what} of ${dtype}, which no tensor can have,`);
        const raw = arrayOver(slice, stored, size);
        const data = dtype === 'BF16' ? fromBfloat16(raw as Uint16Array) : raw;
        return { type: stored.type, data, dims: (shape as number[]).slice() };
      },
    });
  }
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const r of ranges) {
    if (r.begin < covered) return fail(start + r.begin, `${r.name} overlapping another`);
    if (r.begin > covered)
      return fail(start + covered, `${r.begin - covered} bytes that belong to no tensor`);
    covered = r.end;
  }
  if (covered !== room) return fail(start + covered, `${room - covered} bytes that belong to no tensor`);
  entries.sort((a, b) => a.bytes.byteOffset - b.bytes.byteOffset);
  return { format: 'safetensors', entries, metadata };
}

function parseHeader(
  raw: Uint8Array,
  fail: (at: number, what: string) => never,
): Readonly<Record<string, unknown>> {
  if (raw[0] !== 0x7b) return fail(8, 'no JSON object');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(raw);
  } catch {
    return fail(8, 'a header that is not UTF-8');
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    const at = Number(/position (\d+)/.exec((error as Error).message)?.[1] ?? 0);
    return fail(8 + Buffer.byteLength(text.slice(0, at)), 'a header that is not JSON');
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed))
    return fail(8, 'a header that is not a JSON object');
  return parsed as Record<string, unknown>;
}

function readMetadata(value: unknown, fail: (at: number, what: string) => never): Record<string, string> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return fail(8, '__metadata__ that is not an object');
  for (const v of Object.values(value))
    if (typeof v !== 'string') return fail(8, '__metadata__ with a value that is not a string');
  return { ...(value as Record<string, string>) };
}

const isExtent = (d: unknown): d is number =>
  Number.isInteger(d) && (d as number) >= 0 && (d as number) <= 0x7fffffff;
const isOffset = (d: unknown): d is number => Number.isSafeInteger(d) && (d as number) >= 0;

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** The byte at which the header names a tensor, for messages. */
function whereIs(bytes: Uint8Array, end: number, key: string): number {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, end);
  return Math.max(raw.indexOf(JSON.stringify(key), 8), 8);
}

/** The elements in place if their address is a multiple of their size and the machine is little-endian, or a copy. */
function arrayOver(bytes: Uint8Array, stored: Stored, size: number): TypedArray {
  if (stored.bytes > 1 && endianness() !== 'LE') {
    const copy = Buffer.from(bytes);
    if (stored.bytes === 2) copy.swap16();
    else if (stored.bytes === 4) copy.swap32();
    else copy.swap64();
    return new stored.array(new Uint8Array(copy).buffer, 0, size);
  }
  if (bytes.byteOffset % stored.bytes === 0)
    return new stored.array(bytes.buffer as ArrayBuffer, bytes.byteOffset, size);
  return new stored.array(new Uint8Array(bytes).buffer, 0, size);
}

/** One tensor to be written as it is stored. */
export interface StoredTensor {
  readonly name: string;
  readonly stored: string;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

const WORD = Object.fromEntries(
  Object.entries(DTYPES)
    .filter(([word, d]) => d.type !== undefined && word !== 'BF16')
    .map(([word, d]) => [d.type, word]),
) as Record<DataType, string>;

/** A tensor as the file stores it. `stored: 'BF16'` rounds float32 to bfloat16, ties to even; else its own type. */
export function storeTensor(name: string, tensor: TensorLike, stored?: string): StoredTensor {
  const { type, data, dims } = asTensor(OP, name, tensor);
  const size = dims.reduce((a, b) => a * b, 1);
  if (stored === 'BF16' && type === 'float32') {
    const bits = toBfloat16((data as Float32Array).subarray(0, size));
    return { name, stored, dims, bytes: littleEndian(new Uint8Array(bits.buffer), 2) };
  }
  const raw = new Uint8Array(data.buffer, data.byteOffset, size * bytesOf(type));
  return { name, stored: WORD[type], dims, bytes: littleEndian(raw, bytesOf(type)) };
}

function littleEndian(bytes: Uint8Array, width: number): Uint8Array {
  if (width === 1 || endianness() === 'LE') return bytes;
  const copy = Buffer.from(bytes);
  return width === 2 ? copy.swap16() : width === 4 ? copy.swap32() : copy.swap64();
}

/**
 * A .safetensors file as parts to be written one after the other: the header, then each tensor's bytes, not copied. Wider
 * elements stand first and names are in order within, as the format's own writer does, so that all data is aligned.
 */
export function writeSafetensors(
  tensors: readonly StoredTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const width = (t: StoredTensor) => DTYPES[t.stored]!.bytes;
  const sorted = [...tensors].sort((a, b) => width(b) - width(a) || (a.name < b.name ? -1 : 1));
  const lines: string[] = [];
  if (Object.keys(metadata).length > 0) lines.push(`"__metadata__":${JSON.stringify(metadata)}`);
  const seen = new Set<string>(['__metadata__']);
  let at = 0;
  for (const t of sorted) {
    if (seen.has(t.name))
      refuse(OP, 'name', `the name ${JSON.stringify(t.name)} cannot be written twice`, 'ERR_UPSAMPLING_FILE');
    seen.add(t.name);
    const entry = { dtype: t.stored, shape: t.dims, data_offsets: [at, at + t.bytes.length] };
    lines.push(`${JSON.stringify(t.name)}:${JSON.stringify(entry)}`);
    at += t.bytes.length;
  }
  const text = Buffer.from(`{${lines.join(',')}}`);
  const header = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8), 0);
  header.set(text, 8);
  return [header, ...sorted.map((t) => t.bytes)];
}

/** All tensors of a file by name. */
export function tensorsOf(archive: Archive): Map<string, Tensor> {
  return new Map(archive.entries.map((e) => [e.name, e.read()]));
}
