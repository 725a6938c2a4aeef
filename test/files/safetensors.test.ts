import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.js';
import { readSafetensors, storeTensor, tensorsOf, writeSafetensors } from '../../src/files/safetensors.js';
import { fromBfloat16, fromHalf, toBfloat16 } from '../../src/half.js';
import { DATA_TYPES } from '../../src/tensor.js';
import { makeTensor } from '../support/tensors.js';

/** A file with the header as given and `room` bytes of data. */
function file(header: unknown, room = 0): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = Buffer.alloc(8 + text.length + room);
  bytes.writeBigUInt64LE(BigInt(text.length));
  bytes.set(text, 8);
  return bytes;
}

function refusal(bytes: Uint8Array): ArgumentError {
  try {
    for (const e of readSafetensors(bytes, 'f.safetensors').entries) e.read();
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentError);
    const e = error as ArgumentError;
    expect(e.code).toBe('ERR_UPSAMPLING_FILE');
    expect(e.message).toMatch(/^safetensors: f\.safetensors .* at byte \d+$/);
    return e;
  }
  throw new Error('was read');
}

describe('safetensors', () => {
  it('gives back every type that is written', () => {
    const tensors = DATA_TYPES.map((type, i) => makeTensor({ type, dims: [3, i + 1], seed: i } as never));
    const parts = writeSafetensors(
      tensors.map((t, i) => storeTensor(`layer.${i}`, t)),
      { format: 'pt' },
    );
    const read = readSafetensors(Buffer.concat(parts));
    expect(read.metadata).toEqual({ format: 'pt' });
    const back = tensorsOf(read);
    for (const [i, t] of tensors.entries()) expect(back.get(`layer.${i}`)).toEqual(t);
  });

  it('reads a file as the format describes it, byte by byte', () => {
    // Written by hand: 0x3c bytes of header, then 1, 2 as F32.
    const text = '{"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}   ';
    const bytes = Buffer.concat([
      Buffer.from([text.length, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from(text),
      Buffer.from('0000803f00000040', 'hex'),
    ]);
    const w = readSafetensors(bytes).entries[0]!.read();
    expect(w).toEqual({ type: 'float32', dims: [2, 1], data: Float32Array.of(1, 2) });
  });

  it('reads bfloat16 exactly and writes it rounded to even', () => {
    const bits = Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0x0001);
    expect(Array.from(fromBfloat16(bits))).toEqual([1, -2, Infinity, Math.fround(2 ** -133)]);
    expect(Array.from(toBfloat16(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, NaN, 3.4e38)))).toEqual([
      0x3f80, 0x3f82, 0x7fc0, 0x7f80,
    ]);
    const parts = writeSafetensors([
      storeTensor('w', { data: Float32Array.of(1, -2, 0.5), dims: [3] }, 'BF16'),
    ]);
    const entry = readSafetensors(Buffer.concat(parts)).entries[0]!;
    expect(entry.stored).toBe('BF16');
    expect(entry.read()).toEqual({ type: 'float32', dims: [3], data: Float32Array.of(1, -2, 0.5) });
    expect(fromHalf(0x3c00)).toBe(1);
  });

  it('lists types that no tensor can have, and refuses to read them', () => {
    const f = readSafetensors(file({ a: { dtype: 'F8_E4M3', shape: [4], data_offsets: [0, 4] } }, 4), 'x');
    expect(f.entries[0]!.type).toBeUndefined();
    expect(() => f.entries[0]!.read()).toThrow(/F8_E4M3, which no tensor can have/);
  });

  it.each([
    ['too short for a length', Buffer.from([1, 2, 3]), /ends inside the length .* byte 3/],
    ['a length beyond the file', file({}).subarray(0, 9), /a header of 2 bytes in a file of 9 at byte 0/],
    ['a length of 2^63', Buffer.from('ffffffffffffff7f7b7d', 'hex'), /where 100000000 is the most/],
    ['no JSON', file('{"a":'), /not JSON at byte/],
    ['not an object', file('[1]'), /no JSON object at byte 8/],
    ['not UTF-8', Buffer.concat([file('{}').subarray(0, 8), Buffer.from([0x7b, 0xff])]), /not UTF-8/],
    [
      'an unknown dtype',
      file({ a: { dtype: 'F31', shape: [1], data_offsets: [0, 4] } }, 4),
      /unknown dtype "F31" at byte 9/,
    ],
    [
      'a dtype of the prototype',
      file({ a: { dtype: 'constructor', shape: [1], data_offsets: [0, 4] } }, 4),
      /unknown dtype/,
    ],
    [
      'a negative extent',
      file({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4),
      /shape \[-1\]/,
    ],
    [
      'a fractional extent',
      file({ a: { dtype: 'F32', shape: [1.5], data_offsets: [0, 4] } }, 4),
      /shape \[1.5\]/,
    ],
    [
      'extents that overflow',
      file({ a: { dtype: 'F32', shape: [2147483647, 2147483647, 2147483647], data_offsets: [0, 4] } }, 4),
      /with 4 bytes of data/,
    ],
    [
      'offsets out of order',
      file({ a: { dtype: 'U8', shape: [0], data_offsets: [3, 2] } }, 4),
      /\[3, 2\], where 4 bytes/,
    ],
    [
      'offsets beyond the file',
      file({ a: { dtype: 'U8', shape: [9], data_offsets: [0, 9] } }, 4),
      /\[0, 9\], where 4 bytes/,
    ],
    [
      'offsets of 2^60',
      file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1152921504606846976]}}', 4),
      /data_offsets/,
    ],
    [
      'a size that is not the shape',
      file({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, 4),
      /F32 \[2\] with 4 bytes/,
    ],
    [
      'overlap',
      file(
        {
          a: { dtype: 'U8', shape: [3], data_offsets: [0, 3] },
          b: { dtype: 'U8', shape: [3], data_offsets: [1, 4] },
        },
        4,
      ),
      /"b" overlapping/,
    ],
    [
      'a hole',
      file(
        {
          a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
          b: { dtype: 'U8', shape: [1], data_offsets: [3, 4] },
        },
        4,
      ),
      /2 bytes that belong to no tensor/,
    ],
    [
      'a tail',
      file({ a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] } }, 4),
      /3 bytes that belong to no tensor/,
    ],
    ['metadata that is no text', file({ __metadata__: { a: 1 } }), /not a string/],
    ['an entry that is null', file({ a: null }), /other than an object/],
    [
      'too many axes',
      file({ a: { dtype: 'U8', shape: Array(65).fill(1), data_offsets: [0, 1] } }, 1),
      /shape/,
    ],
  ] as const)('refuses %s', (_, bytes, message) => {
    expect(refusal(bytes).message).toMatch(message);
  });

  it('refuses every truncation of a good file', () => {
    const good = Buffer.concat(
      writeSafetensors([
        storeTensor('a', { data: Float32Array.of(1, 2, 3), dims: [3] }),
        storeTensor('b', { data: Int8Array.of(1), dims: [1] }),
      ]),
    );
    for (let n = 0; n < good.length; n++) refusal(good.subarray(0, n));
  });

  it('never crashes and never takes memory on hostile headers', () => {
    const good = Buffer.concat(
      writeSafetensors([
        storeTensor('a.weight', { data: new Float32Array(64), dims: [4, 4, 2, 2] }),
        storeTensor('b', { data: new Uint16Array(4), dims: [4] }),
      ]),
    );
    const number = fc.oneof(
      fc.constantFrom(-1, 0, 1, 4, 255, 2 ** 31, 2 ** 53, 1e300, null, '8', [], {}),
      fc.integer(),
      fc.double(),
    );
    const header = fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('__proto__', '__metadata__', 'a')),
      fc.oneof(
        fc.anything(),
        fc.record({
          dtype: fc.oneof(fc.constantFrom('F32', 'BF16', 'U8', 'F64', 'C64'), fc.string()),
          shape: fc.oneof(fc.array(number), number),
          data_offsets: fc.oneof(fc.tuple(number, number), fc.anything()),
        }),
      ),
    );
    const attempt = (bytes: Uint8Array) => {
      try {
        for (const e of readSafetensors(bytes).entries) {
          expect(e.bytes.length).toBeLessThanOrEqual(bytes.length);
          if (e.type !== undefined) e.read();
        }
      } catch (error) {
        expect((error as ArgumentError).code).toBe('ERR_UPSAMPLING_FILE');
      }
    };
    fc.assert(
      fc.property(header, fc.nat(64), (h, room) => {
        let text: string;
        try {
          text = JSON.stringify(h);
        } catch {
          return;
        }
        attempt(file(text, room));
      }),
      { seed: 6, numRuns: 1500 },
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = Buffer.from(good);
          for (const [at, value] of changes) bytes[at] = value;
          attempt(bytes);
        },
      ),
      { seed: 7, numRuns: 3000 },
    );
  });

  it('refuses a name that is written twice', () => {
    const t = storeTensor('a', { data: Float32Array.of(1), dims: [1] });
    expect(() => writeSafetensors([t, t])).toThrow(/"a" cannot be written twice/);
  });

  it('reads a header of many names in time', () => {
    const many: Record<string, unknown> = {};
    for (let i = 0; i < 50_000; i++)
      many[`layer.${i}`] = { dtype: 'U8', shape: [1], data_offsets: [i, i + 1] };
    const began = performance.now();
    expect(readSafetensors(file(many, 50_000)).entries.length).toBe(50_000);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});
