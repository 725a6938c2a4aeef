/**
 * .npz: a ZIP archive of .npy files, bytes ↔ tensors, by a reader of the central directory of its own.
 *
 * Nothing in the archive is trusted: every offset and size is checked against the size of the file, entries may not
 * overlap, and no entry is given more memory than its compressed bytes can expand to.
 * Source: numpy.savez, NumPy 2.x; APPNOTE.TXT 6.3.10 (ZIP, ZIP64).
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { refuse } from '../errors.js';
import type { TensorLike } from '../tensor.js';
import type { Archive, ArchiveEntry } from './archive.js';
import { readNpy, writeNpy } from './npy.js';
import { crc32 } from './png.js';

const OP = 'npz';
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** Deflate expands a byte to at most 1032. */
const MAX_EXPANSION = 1032;

/** True when the bytes begin as a ZIP archive does (or are an empty one). */
export const isZip = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);

interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly header: number;
  /** Where the entry's data begins. */
  readonly data: number;
}

/** The tensors of a .npz file. `name` stands in messages, with the byte offset of what is wrong. Throws ERR_UPSAMPLING_FILE. */
export function readNpz(bytes: Uint8Array, name = 'the .npz file'): Archive {
  const fail = (at: number, what: string): never =>
    refuse(OP, name, `${name} is not a readable .npz file: ${what} at byte ${at}`, 'ERR_UPSAMPLING_FILE');
  const listed = readDirectory(bytes, fail);
  const seen = new Set<string>();
  const entries = listed.map((e): ArchiveEntry => {
    const key = e.name.endsWith('.npy') ? e.name.slice(0, -4) : e.name;
    if (seen.has(key)) return fail(e.header, `a second entry called ${JSON.stringify(key)}`);
    seen.add(key);
    const isArray = e.name.endsWith('.npy');
    return {
      name: key,
      stored: isArray ? 'npy' : 'a file',
      type: undefined,
      dims: undefined,
      read: () => {
        if (!isArray) return fail(e.header, `${JSON.stringify(e.name)}, which is no .npy file,`);
        return readNpy(unpack(bytes, e, fail), `${name}: ${e.name}`);
      },
    };
  });
  return { format: 'npz', entries, metadata: {} };
}

function unpack(bytes: Uint8Array, e: ZipEntry, fail: (at: number, what: string) => never): Uint8Array {
  const packed = bytes.subarray(e.data, e.data + e.packed);
  let out: Uint8Array = packed;
  if (e.method === 8) {
    try {
      // maxOutputLength holds the archive to the size it declares.
      out = inflateRawSync(packed, { maxOutputLength: Math.max(e.size, 1) });
    } catch (error) {
      return fail(e.data, `${JSON.stringify(e.name)}, which does not inflate (${(error as Error).message}),`);
    }
  }
  if (out.length !== e.size)
    return fail(e.data, `${JSON.stringify(e.name)} of ${out.length} bytes, where ${e.size} are declared,`);
  if (crc32(out) !== e.crc) return fail(e.data, `${JSON.stringify(e.name)} with a wrong checksum`);
  return out;
}

/** All entries that are not folders, checked. */
function readDirectory(bytes: Uint8Array, fail: (at: number, what: string) => never): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  if (end < 0) return fail(bytes.length, 'no end of a central directory');
  let count = view.getUint16(end + 10, true);
  let length = view.getUint32(end + 12, true);
  let start = view.getUint32(end + 16, true);
  let limit = end;
  const wide = (at: number): number => {
    const value = view.getBigUint64(at, true);
    if (value > BigInt(bytes.length))
      return fail(at, `the number ${value} in a file of ${bytes.length} bytes`);
    return Number(value);
  };
  if (count === 0xffff || length === 0xffffffff || start === 0xffffffff) {
    const locator = end - 20;
    if (locator < 0 || view.getUint32(locator, true) !== LOCATOR64)
      return fail(end, 'a ZIP64 directory without its locator');
    const end64 = wide(locator + 8);
    if (end64 + 56 > locator || view.getUint32(end64, true) !== END64)
      return fail(locator, 'a ZIP64 locator that points nowhere');
    count = wide(end64 + 32);
    length = wide(end64 + 40);
    start = wide(end64 + 48);
    limit = end64;
  }
  if (start + length > limit)
    return fail(end, `a central directory of ${length} bytes at ${start}, which the file does not hold,`);
  // 46 bytes are the least an entry takes, so the count bounds nothing that the file does not hold.
  if (count * 46 > length) return fail(end, `${count} entries in a central directory of ${length} bytes`);
  const entries: ZipEntry[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + 46 > start + length || view.getUint32(at, true) !== CENTRAL)
      return fail(at, `no entry ${i + 1} of ${count}`);
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const crc = view.getUint32(at + 16, true);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > start + length) return fail(at, 'an entry that runs out of the central directory');
    const raw = bytes.subarray(at + 46, at + 46 + nameLength);
    const name = Buffer.from(raw).toString(flags & 0x800 ? 'utf8' : 'latin1');
    let size = view.getUint32(at + 24, true);
    let packed = view.getUint32(at + 20, true);
    let header = view.getUint32(at + 42, true);
    if (size === 0xffffffff || packed === 0xffffffff || header === 0xffffffff) {
      const fields = [size, packed, header].map((v) => v === 0xffffffff);
      const values = extra64(view, at + 46 + nameLength, extraLength, fields, fail);
      size = values[0] ?? size;
      packed = values[1] ?? packed;
      header = values[2] ?? header;
    }
    if (flags & 1) return fail(at, `${JSON.stringify(name)}, which is encrypted,`);
    if (method !== 0 && method !== 8)
      return fail(at, `${JSON.stringify(name)} compressed by method ${method}, where 0 and 8 are known,`);
    if (header + 30 > start || view.getUint32(header, true) !== LOCAL)
      return fail(at, `${JSON.stringify(name)} pointing to byte ${header}, where no entry begins,`);
    const data = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    if (data + packed > start)
      return fail(at, `${JSON.stringify(name)} of ${packed} bytes, which the file does not hold,`);
    if (method === 0 ? size !== packed : size > packed * MAX_EXPANSION + 64)
      return fail(at, `${JSON.stringify(name)} of ${size} bytes from ${packed} packed ones`);
    if (!name.endsWith('/')) entries.push({ name, method, crc, packed, size, header, data });
    at = next;
  }
  const inOrder = [...entries].sort((a, b) => a.header - b.header);
  for (let i = 1; i < inOrder.length; i++) {
    const before = inOrder[i - 1]!;
    if (inOrder[i]!.header < before.data + before.packed)
      return fail(inOrder[i]!.header, `${JSON.stringify(inOrder[i]!.name)} overlapping another entry`);
  }
  return entries;
}

/** Position of the end record: 22 bytes and a comment that reaches exactly to the end of the file. */
function findEnd(view: DataView): number {
  const last = view.byteLength - 22;
  for (let at = last; at >= Math.max(0, last - 0xffff); at--)
    if (view.getUint32(at, true) === END && at + 22 + view.getUint16(at + 20, true) === view.byteLength)
      return at;
  return -1;
}

/** The 64-bit values of the ZIP64 extra field, for those of [size, packed, header] that the entry leaves to it. */
function extra64(
  view: DataView,
  from: number,
  length: number,
  wanted: readonly boolean[],
  fail: (at: number, what: string) => never,
): (number | undefined)[] {
  const out: (number | undefined)[] = [undefined, undefined, undefined];
  for (let at = from; at + 4 <= from + length; ) {
    const id = view.getUint16(at, true);
    const size = view.getUint16(at + 2, true);
    if (at + 4 + size > from + length) return fail(at, 'an extra field that runs out of its entry');
    if (id === 1) {
      let p = at + 4;
      for (const [i, want] of wanted.entries()) {
        if (!want) continue;
        if (p + 8 > at + 4 + size) return fail(at, 'a ZIP64 field that is too short');
        const value = view.getBigUint64(p, true);
        // A size of the expanded entry may exceed the file, but not what deflate can make of it.
        if (value > BigInt(view.byteLength) * BigInt(MAX_EXPANSION))
          return fail(p, `the number ${value} in a file of ${view.byteLength} bytes`);
        out[i] = Number(value);
        p += 8;
      }
      return out;
    }
    at += 4 + size;
  }
  return fail(from, 'an entry without the ZIP64 field that it needs');
}

/** A .npz file as parts to be written one after the other. `compress` deflates each array, as numpy.savez_compressed does. */
export function writeNpz(
  tensors: Iterable<readonly [string, TensorLike]>,
  options: { readonly compress?: boolean } = {},
): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const directory: Buffer[] = [];
  const seen = new Set<string>();
  let at = 0;
  for (const [key, tensor] of tensors) {
    if (seen.has(key))
      refuse(OP, 'name', `the name ${JSON.stringify(key)} cannot be written twice`, 'ERR_UPSAMPLING_FILE');
    seen.add(key);
    const name = Buffer.from(`${key}.npy`);
    const plain = Buffer.concat(writeNpy(tensor));
    const data = options.compress === true ? deflateRawSync(plain) : plain;
    // 1980-01-01, so that the same tensors give the same bytes.
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(0x800, 2);
    shared.writeUInt16LE(options.compress === true ? 8 : 0, 4);
    shared.writeUInt16LE(0x21, 8);
    shared.writeUInt32LE(crc32(plain), 10);
    if (Math.max(data.length, plain.length, at) >= 0xffffffff)
      refuse(OP, key, `${key} does not fit: a .npz file is written up to 4 GiB`, 'ERR_UPSAMPLING_FILE');
    shared.writeUInt32LE(data.length, 14);
    shared.writeUInt32LE(plain.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(LOCAL, 0);
    local.set(shared, 4);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(CENTRAL, 0);
    central.writeUInt16LE(20, 4);
    central.set(shared, 6);
    central.writeUInt32LE(at, 42);
    directory.push(central, name);
    parts.push(local, name, data);
    at += 30 + name.length + data.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END, 0);
  if (seen.size >= 0xffff || at >= 0xffffffff)
    refuse(OP, 'tensors', 'a .npz file is written up to 65534 arrays and 4 GiB', 'ERR_UPSAMPLING_FILE');
  end.writeUInt16LE(seen.size, 8);
  end.writeUInt16LE(seen.size, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return [...parts, list, end];
}
