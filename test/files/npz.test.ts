import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ArgumentError } from '../../src/errors.js';
import { readNpz, writeNpz } from '../../src/files/npz.js';
import { tensorsOf } from '../../src/files/safetensors.js';
import { DATA_TYPES } from '../../src/tensor.js';
import { makeTensor } from '../support/tensors.js';

/** numpy.savez(w=arange(6, '<f4').reshape(2, 3), h=array([1.5, -2], '<f2')), NumPy 2.4.6. */
const SAVEZ =
  'UEsDBC0AAAAAAAAAIQBP6QAq//////////8FABQAdy5ucHkBABAAmAAAAAAAAACYAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmNCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCAzKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAAgD8AAABAAABAQAAAgEAAAKBAUEsDBC0AAAAAAAAAIQCzwYIM//////////8FABQAaC5ucHkBABAAhAAAAAAAAACEAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmMicsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAD4AwFBLAQItAy0AAAAAAAAAIQBP6QAqmAAAAJgAAAAFAAAAAAAAAAAAAACAAQAAAAB3Lm5weVBLAQItAy0AAAAAAAAAIQCzwYIMhAAAAIQAAAAFAAAAAAAAAAAAAACAAc8AAABoLm5weVBLBQYAAAAAAgACAGYAAACKAQAAAAA=';
/** numpy.savez_compressed(w=zeros((4, 4, 2), '<f8'), i=array([[1, 2], [3, 4]], '>i4', order='F')). */
const COMPRESSED =
  'UEsDBC0AAAAIAAAAIQAYqm55//////////8FABQAdy5ucHkBABAAgAEAAAAAAABLAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GiY6CkBkpKmjUKtAHuBiGOEAAFBLAwQtAAAACAAAACEAtJh84v//////////BQAUAGkubnB5AQAQAJAAAAAAAAAAUQAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBul2mirqOgnpZfVFKUmBefX5SSChIPKSpNBQoXZyQWpAK5GkY6CkaaOgq1CuQDLgYGBkYgZgZiJiBmAQBQSwECLQMtAAAACAAAACEAGKpueUsAAACAAQAABQAAAAAAAAAAAAAAgAEAAAAAdy5ucHlQSwECLQMtAAAACAAAACEAtJh84lEAAACQAAAABQAAAAAAAAAAAAAAgAGCAAAAaS5ucHlQSwUGAAAAAAIAAgBmAAAACgEAAAAA';

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

function refusal(bytes: Uint8Array): string {
  try {
    for (const e of readNpz(bytes, 'f.npz').entries) e.read();
  } catch (error) {
    expect((error as ArgumentError).code).toBe('ERR_UPSAMPLING_FILE');
    return (error as Error).message;
  }
  throw new Error('was read');
}

/** An archive of one entry with fields of the central directory as given. */
function zip(
  plain: Uint8Array,
  change: {
    size?: number;
    packed?: number;
    method?: number;
    flags?: number;
    header?: number;
    count?: number;
  } = {},
) {
  const good = Buffer.concat(
    writeNpz([['a', { data: Uint8Array.from(plain), dims: [plain.length] }]], { compress: true }),
  );
  const central = good.length - 22 - 46 - 5;
  if (change.flags !== undefined) good.writeUInt16LE(change.flags, central + 8);
  if (change.method !== undefined) good.writeUInt16LE(change.method, central + 10);
  if (change.packed !== undefined) good.writeUInt32LE(change.packed, central + 20);
  if (change.size !== undefined) good.writeUInt32LE(change.size, central + 24);
  if (change.header !== undefined) good.writeUInt32LE(change.header, central + 42);
  if (change.count !== undefined) good.writeUInt16LE(change.count, good.length - 22 + 10);
  return good;
}

describe('npz', () => {
  it('reads what NumPy stores', () => {
    const t = tensorsOf(readNpz(bytesOf(SAVEZ)));
    expect(t.get('w')).toEqual({ type: 'float32', dims: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) });
    expect(t.get('h')).toEqual({ type: 'float16', dims: [2], data: Uint16Array.of(0x3e00, 0xc000) });
  });

  it('reads what NumPy deflates, big-endian and in Fortran order', () => {
    const t = tensorsOf(readNpz(bytesOf(COMPRESSED)));
    expect(t.get('w')).toEqual({ type: 'float64', dims: [4, 4, 2], data: new Float64Array(32) });
    expect(t.get('i')).toEqual({ type: 'int32', dims: [2, 2], data: Int32Array.of(1, 2, 3, 4) });
  });

  it.each([false, true])('gives back every type that is written, compress %s', (compress) => {
    const tensors = DATA_TYPES.map(
      (type, i) => [type, makeTensor({ type, dims: [2, i + 1], seed: i } as never)] as const,
    );
    const back = tensorsOf(readNpz(Buffer.concat(writeNpz(tensors, { compress }))));
    for (const [name, t] of tensors) expect(back.get(name)).toEqual(t);
  });

  it('reads ZIP64 directories', () => {
    const good = Buffer.concat(writeNpz([['a', { data: Float32Array.of(1, 2), dims: [2] }]]));
    const end = good.length - 22;
    const end64 = Buffer.alloc(56);
    end64.writeUInt32LE(0x06064b50, 0);
    end64.writeBigUInt64LE(44n, 4);
    end64.writeBigUInt64LE(1n, 24);
    end64.writeBigUInt64LE(1n, 32);
    end64.writeBigUInt64LE(BigInt(good.readUInt32LE(end + 12)), 40);
    end64.writeBigUInt64LE(BigInt(good.readUInt32LE(end + 16)), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(end), 8);
    locator.writeUInt32LE(1, 16);
    const last = Buffer.from(good.subarray(end));
    last.writeUInt16LE(0xffff, 10);
    last.writeUInt32LE(0xffffffff, 16);
    const wide = Buffer.concat([good.subarray(0, end), end64, locator, last]);
    expect(tensorsOf(readNpz(wide)).get('a')!.data).toEqual(Float32Array.of(1, 2));
    const lost = Buffer.from(wide);
    lost.writeBigUInt64LE(2n ** 62n, end + 56 + 8);
    expect(refusal(lost)).toMatch(/the number 4611686018427387904 in a file of/);
  });

  it.each([
    [
      'a declared size that deflate cannot reach',
      zip(new Uint8Array(10), { size: 0x7fffffff }),
      /2147483647 bytes from \d+ packed ones at byte/,
    ],
    [
      'a declared size that is too small',
      zip(new Uint8Array(1000), { size: 10 }),
      /does not inflate|where 10 are declared/,
    ],
    [
      'packed bytes beyond the file',
      zip(new Uint8Array(10), { packed: 0x7fffffff }),
      /which the file does not hold/,
    ],
    ['an unknown method', zip(new Uint8Array(10), { method: 12 }), /method 12/],
    ['encryption', zip(new Uint8Array(10), { flags: 1 }), /encrypted/],
    ['an entry that begins nowhere', zip(new Uint8Array(10), { header: 7 }), /pointing to byte 7/],
    [
      'more entries than fit',
      zip(new Uint8Array(10), { count: 60000 }),
      /60000 entries in a central directory/,
    ],
    ['no archive at all', Buffer.from('hello'), /no end of a central directory at byte 5/],
  ] as const)('refuses %s', (_, bytes, message) => {
    expect(refusal(bytes)).toMatch(message);
  });

  it('refuses a wrong checksum and overlapping entries', () => {
    const flipped = bytesOf(SAVEZ);
    flipped[200] = flipped[200]! ^ 1;
    expect(refusal(flipped)).toMatch(/wrong checksum at byte|not a readable/);
    const two = Buffer.concat(
      writeNpz([
        ['a', { data: Uint8Array.of(1), dims: [1] }],
        ['b', { data: Uint8Array.of(1), dims: [1] }],
      ]),
    );
    const central = two.lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    two.writeUInt32LE(0, central + 42);
    expect(refusal(two)).toMatch(/overlapping another entry/);
  });

  it('refuses every truncation and never crashes on changed bytes', () => {
    for (const base64 of [SAVEZ, COMPRESSED]) {
      const good = bytesOf(base64);
      for (let n = 0; n < good.length; n++) refusal(good.subarray(0, n));
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
          (changes) => {
            const bytes = good.slice();
            for (const [at, value] of changes) bytes[at] = value;
            try {
              for (const e of readNpz(bytes).entries) e.read();
            } catch (error) {
              expect((error as ArgumentError).code).toBe('ERR_UPSAMPLING_FILE');
            }
          },
        ),
        { seed: 8, numRuns: 3000 },
      );
    }
  });
});
