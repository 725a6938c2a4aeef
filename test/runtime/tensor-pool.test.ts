import { describe, expect, it } from 'vitest';
import { ArgumentError, interpolate, tensorPool } from '../../src/index.js';

describe('tensorPool', () => {
  it('lends the same memory again', () => {
    const pool = tensorPool({ maxBytes: 1 << 20 });
    const a = pool.allocate('float32', [2, 3, 4]);
    expect(a).toMatchObject({ type: 'float32', dims: [2, 3, 4] });
    expect(a.data).toBeInstanceOf(Float32Array);
    expect(a.data.length).toBe(24);
    pool.release(a);
    expect(pool.freeBytes).toBeGreaterThanOrEqual(96);
    const b = pool.allocate('int16', [48]);
    expect(b.data.buffer).toBe(a.data.buffer);
    expect(b.data.length).toBe(48);
    expect(pool.freeBytes).toBe(0);
    expect(pool.allocate('int16', [48]).data.buffer).not.toBe(a.data.buffer);
  });

  it('refuses a second release and tensors of others', () => {
    const pool = tensorPool({ maxBytes: 1 << 20 });
    const a = pool.allocate('uint8', [100]);
    pool.release(a);
    const message = /tensor must be one that this pool has lent/;
    expect(() => pool.release(a)).toThrow(message);
    // Not even after its memory was lent again.
    const b = pool.allocate('uint8', [100]);
    expect(b.data.buffer).toBe(a.data.buffer);
    expect(() => pool.release(a)).toThrow(message);
    for (const other of [
      { ...b, data: b.data.slice() },
      tensorPool({ maxBytes: 8 }).allocate('uint8', [1]),
      undefined,
      {},
    ])
      expect(() => pool.release(other as never)).toThrow(ArgumentError);
    pool.release(b);
  });

  it('holds no more than its bound, and lets go of what was not used longest', () => {
    const pool = tensorPool({ maxBytes: 10_000 });
    const tensors = [1000, 2000, 4000, 8000].map((n) => pool.allocate('uint8', [n]));
    for (const t of tensors) {
      pool.release(t);
      expect(pool.freeBytes).toBeLessThanOrEqual(10_000);
    }
    expect(pool.allocate('uint8', [8000]).data.buffer).toBe(tensors[3]!.data.buffer);
    expect(pool.allocate('uint8', [4000]).data.buffer).not.toBe(tensors[2]!.data.buffer);
    const beyond = pool.allocate('uint8', [20_000]);
    pool.release(beyond);
    expect(pool.freeBytes).toBeLessThan(10_000);
  });

  it('takes nothing back that a call is still writing', async () => {
    const pool = tensorPool({ maxBytes: 1 << 26 });
    const out = pool.allocate('float32', [1, 1, 1024, 1024]);
    const x = { data: new Float32Array(1 << 16).fill(1), dims: [1, 1, 256, 256] };
    const call = interpolate(x, { size: 1024, mode: 'bicubic', out });
    expect(() => pool.release(out)).toThrow(/has not ended/);
    expect(await call).toBe(out);
    pool.release(out);
  });

  it('forgets a buffer that was transferred away', () => {
    const pool = tensorPool({ maxBytes: 1 << 20 });
    const a = pool.allocate('uint8', [64]);
    structuredClone(a.data.buffer, { transfer: [a.data.buffer as ArrayBuffer] });
    pool.release(a);
    expect(pool.freeBytes).toBe(0);
  });

  it('is empty and closed after dispose', () => {
    const pool = tensorPool({ maxBytes: 1 << 20 });
    const [a, b] = [pool.allocate('uint8', [64]), pool.allocate('uint8', [64])];
    pool.release(a);
    pool[Symbol.dispose]();
    expect(pool.freeBytes).toBe(0);
    expect(() => pool.allocate('uint8', [64])).toThrow(/after it was disposed/);
    pool.release(b);
    expect(pool.freeBytes).toBe(0);
  });

  it('refuses wrong arguments', () => {
    for (const options of [
      undefined,
      {},
      { maxBytes: -1 },
      { maxBytes: '1' },
      { maxBytes: NaN },
      { maxBytes: 1, max: 2 },
    ])
      expect(() => tensorPool(options as never)).toThrow(ArgumentError);
    const pool = tensorPool({ maxBytes: 1 });
    expect(() => pool.allocate('float' as never, [1])).toThrow(/type must be one of/);
    expect(() => pool.allocate('uint8', [-1])).toThrow(/dims must be/);
    expect(() => pool.allocate('uint8', [2 ** 30, 2 ** 30])).toThrow(ArgumentError);
  });
});
