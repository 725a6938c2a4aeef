/** .npy files: what NumPy wrote is read, what we write NumPy's rules hold for, and hostile files are refused. */
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.js';
import { readNpy, writeNpy } from '../../src/files/npy.js';
import { fromHalf } from '../../src/reference/elements.js';
import { allocate, DATA_TYPES, type TypedArray } from '../../src/tensor.js';

/** numpy.lib.format.write_array of arange(24).reshape(2, 3, 4) changed as below; NumPy 2.4.6, deflated, base64. */
const NUMPY: Record<string, string> = {
  float32:
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgrGOgommjoKtQrkAS4GCLBjYGgA4gNAzGDPwKAAxA5AnADEDUA8AYgXAPEGID4AxBeA+AEQfwBiBgcGBg4gFgBiCSBWAGINIDYAYgsHAF6EKdo=',
  'float32 big-endian, version 2':
    'eNqb7BfqGxDJxFDCwMBQrZ6SWpxcpG6loG6XZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsY6CiaaOgq1CuQALqC1DHYg3ADEBxgY7IFsewUgdgDiBCAGittPAOIFQLwBiEFqLgDxAyD+wMAAVMbgwAHEAkAsAcRAvQ4aQGwAxBYMDAAvDimb',
  'float64 Fortran':
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2ahrqOgnpZfVFKUmBefX5SSChIPKSpNBQoXZyQWpAK5GkY6CsY6CiaaOgq1CmQCLgYU8MMeQj+A0gwOEOoDlM8C5R+A8n9B6SdQmhEq/wnKZ4XyL0D5f6D0CyjNBJX/AuWzQfk3oPx/UPoNlGaGyn+D8tkdAOXsLuo=',
  'float16 version 3':
    'eNqb7BfqGxDJzFDCwMBQrZ6SWpxcpG6loG6TZqSuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsY6CiaaOgq1CuQALqC1BgwmDGYMFgyWDFYM1gw2DTYMtg22DHYNdgz2DfYMDg4ODQ4HHBgcHRwbHA84AgAGjyW6',
  'float16 big-endian':
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBul2akrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgrGOgommjoKtQrkAS4GBgMGEwYzBgsGSwYrBmsGGwabBlsG2wY7BrsGewb7BgcGBweHBocDjgyODo4NjgcARgkl/A==',
  'uint8 Fortran':
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBeU2qorqOgnpZfVFKUmBefX5SSChIPKSpNBQoXZyQWpAK5GkY6CsY6CiaaOgq1CmQCLgYeFgEOEUZeVkFOUSY+NiEuMWZ+dmFucQAWYBzB',
  int8: 'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBek2morqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgrGOgommjoKtQrkAa4vX799//Hz1+8/f//9Z2BkYmZhZWPn4OTiBgDrzyfA',
  'uint16 big-endian Fortran':
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuV2qkrqOgnpZfVFKUmBefX5SSChIPKSpNBQoXZyQWpAK5GkY6CsY6CiaaOgq1CmQCLgYGvQf8C+wa5B38FJhfGJ0Q7nDKUNYI4mC/YLZBvMAtQF0g9AP3DqsZ0hFeFlo/Im8AAOqqK7o=',
  int16:
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2mkrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgrGOgommjoKtQrkAS4GBok/Bj88viR8qHgz4cWKJwce3Ljz4QbHVYWLFmcDTmYcbTg4Y++GnSe2Ptj4Y63AKo1lAEmEOSw=',
  'int32 big-endian':
    'eNqdyLsOAUEAheFZd+vuCaYbkqnYSqHU2WgUKpnYERKxMiMa8RQe12X84g2c5CvOf0+X88UqEhdxVZn1G6cmUk33idJSbXN3dua4zl1mv31mDt7S/c6cLH8w0nKsZTLU8ib/WxxCeOCJF94I4rcIBRRRQhkVVFFDHTEaaKKFNjrooof+B33ZMB4=',
  uint32:
    'eNqdyrkKAjEYxPGs930f7ddFIZVuJdZ2io2FlQQ3YiGuJGojwr6DL+zfV3DgV8wwn81uvd1H6qleOnHh6PVC9PIRayP6lPq7t9dD6hP321f2Ehx7ONubo09mRuZG4qmRt/yXmlIqi5BDHgUUUUIZFVTBMaujgSZaaKODLnroY4AhRhjjCxXcKK8=',
  'int64 big-endian':
    'eNqdzLkKAjEAhOGs930fbboopFILsbC0U2wsrCS4EQVxJREb8Sl84HUXfl/AaT5mivlsduvtPhBP8VKh9UenFlItL3OlpTpF7uHM7RC50Kb7yly9TXZ/Nneb9NFEy6mWs7GWb/lfKnEcizQYYAazmMM8FrCIJSzj77eKNaxjA5vYwjZ2sIs97OMAh18PpmRh',
  uint64:
    'eNqdzLkKAjEAhOGs930fbboopNItRKztFBsLKwluxEJcSdRGhH0HX9gV/ydwmo+ZYt7r7WqzC8RDPFVk/cGpuVSL+0xpqY6xuzlz2ccust99ac7eprs/matN+2ii5VTLcKzlS/6XivglCTCDWcxhHgtYxBKWkcOkijWsYwOb2MI2drCLPezjAIf4AcFEKLM=',
  bool: 'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBek2SorqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgrGOgommjoKtQrkAS5GBgasCAAPwRvN',
};

/** What arange became before it was written. */
const VALUE: Record<string, (i: number) => number | bigint> = {
  float32: (i) => i / 8,
  float64: (i) => i / 8,
  float16: (i) => i / 8,
  uint8: (i) => i,
  int8: (i) => i - 12,
  uint16: (i) => i * 1000,
  int16: (i) => 0 - i * 1000,
  int32: (i) => i - 5,
  uint32: (i) => i + 2 ** 31,
  int64: (i) => BigInt(i) - 2n ** 40n,
  uint64: (i) => BigInt(i) + 2n ** 63n,
  bool: (i) => (i % 3 === 0 ? 1 : 0),
};

const file = (header: string, data = new Uint8Array(0), version = 1): Uint8Array => {
  const text = Buffer.from(header, 'latin1');
  const bytes = Buffer.alloc((version === 1 ? 10 : 12) + text.length + data.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  if (version === 1) bytes.writeUInt16LE(text.length, 8);
  else bytes.writeUInt32LE(text.length, 8);
  bytes.set(text, version === 1 ? 10 : 12);
  bytes.set(data, bytes.length - data.length);
  return bytes;
};

describe('readNpy', () => {
  it.each(Object.keys(NUMPY))('reads what NumPy wrote: %s', (name) => {
    const whole = inflateSync(Buffer.from(NUMPY[name]!, 'base64'));
    const type = name.split(' ')[0]!;
    for (const shift of [0, 1, 2, 3, 5]) {
      const memory = new Uint8Array(whole.length + shift);
      memory.set(whole, shift);
      const bytes = memory.subarray(shift);
      const before = bytes.slice();
      const t = readNpy(bytes);
      expect(t.type).toBe(type);
      expect(t.dims).toEqual([2, 3, 4]);
      const got = Array.from(t.data as Uint16Array, (v) => (type === 'float16' ? fromHalf(v) : v));
      expect(got).toEqual(Array.from({ length: 24 }, (_, i) => VALUE[type]!(i)));
      expect(bytes).toEqual(before);
    }
  });

  it('reads scalars, one axis, empty axes and the headers of Python 2', () => {
    const f = (shape: string, n: number) =>
      readNpy(file(`{'shape': ${shape}, "descr": '<f4', 'fortran_order': True}   `, new Uint8Array(4 * n)));
    expect(f('()', 1).dims).toEqual([]);
    expect(f('(3,)', 3).dims).toEqual([3]);
    expect(f('(3L, 2L)', 6).dims).toEqual([3, 2]);
    expect(f('(3, 0)', 0).dims).toEqual([3, 0]);
  });

  const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
  const four = new Uint8Array(16);
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /no .*signature at byte 0/],
    ['another format', Buffer.from('PK\x03\x04 and so on'), /no .*signature at byte 0/],
    ['a file that ends after the signature', file(good).subarray(0, 8), /ends inside its header at byte 8/],
    [
      'a file that ends in the length',
      file(good, four, 2).subarray(0, 11),
      /ends inside its header at byte 11/,
    ],
    ['version 4', file(good, four, 4), /format version 4.* at byte 6/],
    [
      'a header longer than the file',
      file(good).subarray(0, 40),
      /a header of 59 bytes in a file of 40 at byte 8/,
    ],
    [
      'too little data',
      file(good, new Uint8Array(15)),
      /15 bytes of data where float32 of shape \(2,2\) needs 16 at byte 69/,
    ],
    ['too much data', file(good, new Uint8Array(17)), /17 bytes of data/],
    ['pickled objects', file(good.replace('<f4', '|O')), /element type "\|O"/],
    ['complex numbers', file(good.replace('<f4', '<c8')), /element type "<c8"/],
    ['text', file(good.replace('<f4', '<U3')), /element type "<U3"/],
    ['records', file(good.replace("'<f4'", "[('a', '<f4')]")), /structured element type/],
    [
      'a product beyond 2^53',
      file(good.replace('2, 2', '2000000000, 2000000000, 2000000000')),
      /bytes of data where/,
    ],
    ['a giant extent', file(good.replace('2, 2', '99999999999')), /an extent of 99999999999/],
    ['a negative extent', file(good.replace('2, 2', '-2, 2')), /an extent expected/],
    ['no shape', file("{'descr': '<f4', 'fortran_order': False}"), /without descr/],
    ['a key twice', file("{'descr': '<f4', 'descr': '<f4'}"), /the key "descr"/],
    ['a foreign key', file("{'__class__': 1}"), /the key "__class__"/],
    ['code', file('__import__("os")'), /the dictionary expected at byte 10/],
    ['text after the dictionary', file(`${good} + 1`, four), /text after the dictionary/],
  ])('refuses %s', (_, bytes, message) => {
    let thrown: unknown;
    try {
      readNpy(bytes, 'x.npy');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ArgumentError);
    expect((thrown as ArgumentError).code).toBe('ERR_UPSAMPLING_FILE');
    expect((thrown as ArgumentError).message).toMatch(/^npy: x\.npy is not a readable \.npy file: /);
    expect((thrown as ArgumentError).message).toMatch(message);
  });

  it('fails in words, or reads a tensor of the right length, whatever bytes are changed', () => {
    const whole = file(good.padEnd(100), four);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(whole.length),
        (changes, length) => {
          const bytes = whole.slice(0, length);
          for (const [at, value] of changes) if (at < length) bytes[at] = value;
          try {
            const t = readNpy(bytes);
            expect(t.data.length).toBe(t.dims.reduce((a, b) => a * b, 1));
          } catch (error) {
            expect(error).toBeInstanceOf(ArgumentError);
          }
        },
      ),
      { numRuns: 2000, seed: 7 },
    );
  });
});

describe('writeNpy', () => {
  it.each(DATA_TYPES)('writes %s as it is read', (type) => {
    for (const dims of [[], [3], [2, 3], [0, 4], [1, 2, 3, 4, 5]]) {
      const t = allocate('test', type, dims);
      const raw = new Uint8Array((t.data as TypedArray).buffer as ArrayBuffer);
      for (let i = 0; i < raw.length; i++) raw[i] = type === 'bool' ? i & 1 : (i * 37) & 255;
      const [header, data] = writeNpy(t);
      expect(header.length % 64).toBe(0);
      expect(header[header.length - 1]).toBe(10);
      const back = readNpy(Buffer.concat([header, data]));
      expect(back.type).toBe(type);
      expect(back.dims).toEqual(dims);
      const bytes = new Uint8Array(
        back.data.buffer as ArrayBuffer,
        back.data.byteOffset,
        back.data.byteLength,
      );
      expect(bytes).toEqual(raw);
    }
  });

  it('writes no more than dims say', () => {
    const [, data] = writeNpy({ data: new Float32Array(10), dims: [2, 2] });
    expect(data.length).toBe(16);
  });
});
