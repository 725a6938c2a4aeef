/** The promises of execute.ts about memory: what may be given as input and `out`, and what is refused before anything is written. */
import { describe, expect, it } from 'vitest';
import { ArgumentError, type ErrorCode } from '../../src/errors.js';
import { interpolate, interpolateSync, runtime, type Tensor, type TensorLike } from '../../src/index.js';

const o = { size: [4, 4], mode: 'nearest' } as const;
const input = () => ({ data: Float32Array.of(1, 2, 3, 4), dims: [1, 1, 2, 2] });
const doubled = [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4];
const dims = [1, 1, 4, 4];

/** Both forms must refuse, with one sentence, and leave `out` alone. */
async function refuses(x: unknown, options: object, code: ErrorCode, message: RegExp): Promise<void> {
  const all = { ...o, ...options };
  const sync = () => interpolateSync(x as TensorLike, all as never);
  expect(sync).toThrow(ArgumentError);
  expect(sync).toThrow(message);
  expect(sync).toThrow(expect.objectContaining({ code, op: 'interpolate' }));
  await expect(interpolate(x as TensorLike, all as never)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
  });
}

async function gives(x: TensorLike, options: object = {}): Promise<void> {
  const all = { ...o, ...options } as never;
  expect([...(interpolateSync(x, all).data as Float32Array)]).toEqual(doubled);
  expect([...((await interpolate(x, all)).data as Float32Array)]).toEqual(doubled);
}

describe('out', () => {
  it('is written to and returned', async () => {
    const out = { data: new Float32Array(16), dims, type: 'float32' };
    expect(interpolateSync(input(), { ...o, out })).toBe(out);
    expect([...out.data]).toEqual(doubled);
    out.data.fill(0);
    expect(await interpolate(input(), { ...o, out })).toBe(out);
    expect([...out.data]).toEqual(doubled);
  });

  it('may be longer than the result, of which only its head is written', () => {
    const out = { data: new Float32Array(20).fill(7), dims };
    interpolateSync(input(), { ...o, out });
    expect([...out.data]).toEqual([...doubled, 7, 7, 7, 7]);
  });

  it('must have the type, the dims and the length', async () => {
    await refuses(
      input(),
      { out: { data: new Float64Array(16), dims } },
      'ERR_UPSAMPLING_TYPE',
      /out must be of type float32, got float64/,
    );
    await refuses(
      input(),
      { out: { data: new Float32Array(16), dims: [1, 1, 2, 8] } },
      'ERR_UPSAMPLING_SHAPE',
      /out must have dims \[1, 1, 4, 4\], got \[1, 1, 2, 8\]/,
    );
    await refuses(
      input(),
      { out: { data: new Float32Array(15), dims } },
      'ERR_UPSAMPLING_SHAPE',
      /out.data holds 15 elements/,
    );
    await refuses(input(), { out: [1, 2] }, 'ERR_UPSAMPLING_TYPE', /out.data must be a typed array/);
    await refuses(input(), { out: 5 }, 'ERR_UPSAMPLING_ARGUMENT', /out must be a tensor/);
  });

  it('must not share memory with the input', async () => {
    const buffer = new ArrayBuffer(80);
    const x = { data: new Float32Array(buffer, 0, 4), dims: [1, 1, 2, 2] };
    await refuses(
      x,
      { out: { data: new Float32Array(buffer, 12, 16), dims } },
      'ERR_UPSAMPLING_BUFFER',
      /out must not share memory with an input/,
    );
    await gives({ data: new Float32Array(buffer, 64, 4).map((_, i) => i + 1), dims: x.dims });
    x.data.set([1, 2, 3, 4]);
    await gives(x, { out: { data: new Float32Array(buffer, 16, 16), dims } });
  });

  it('must not be written by two calls at once', async () => {
    const x = { data: new Float32Array(1 << 20), dims: [1, 1, 1024, 1024] };
    const big = { size: [2048, 2048], mode: 'bicubic' } as const;
    const data = new Float32Array(1 << 23);
    const out = { data: data.subarray(0, 1 << 22), dims: [1, 1, 2048, 2048] };
    const first = interpolate(x, { ...big, out });
    const refused = {
      code: 'ERR_UPSAMPLING_BUFFER',
      message: expect.stringContaining('has not ended') as string,
    };
    await expect(interpolate(x, { ...big, out })).rejects.toMatchObject(refused);
    expect(() => interpolateSync(x, { ...big, out })).toThrow(expect.objectContaining(refused));
    // The other half of the same buffer is free.
    const other = interpolate(x, { ...big, out: { data: data.subarray(1 << 22), dims: out.dims } });
    await first;
    await interpolate(x, { ...big, out });
    await other;
  });
});

describe('memory that may vanish', () => {
  const resizable = (length: number) => {
    const make = ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer;
    return new Float32Array(new make(length * 4, { maxByteLength: 4096 }));
  };

  it('is refused when resizable', async () => {
    await refuses(
      { ...input(), data: resizable(4) },
      {},
      'ERR_UPSAMPLING_BUFFER',
      /input.data must not be on a resizable buffer/,
    );
    await refuses(
      input(),
      { out: { data: resizable(16), dims } },
      'ERR_UPSAMPLING_BUFFER',
      /out.data must not be on a resizable/,
    );
  });

  it('is refused when growable', async () => {
    const make = SharedArrayBuffer as unknown as new (n: number, o: object) => SharedArrayBuffer;
    const data = new Float32Array(new make(16, { maxByteLength: 4096 }) as unknown as ArrayBuffer);
    await refuses({ ...input(), data }, {}, 'ERR_UPSAMPLING_BUFFER', /resizable buffer/);
  });

  it('is refused when detached', async () => {
    const x = input();
    structuredClone(x.data.buffer, { transfer: [x.data.buffer] });
    await refuses(x, {}, 'ERR_UPSAMPLING_BUFFER', /input.data must not be on a detached buffer/);
    const out = { data: new Float32Array(16), dims };
    structuredClone(out.data.buffer, { transfer: [out.data.buffer] });
    await refuses(input(), { out }, 'ERR_UPSAMPLING_BUFFER', /out.data must not be on a detached buffer/);
  });
});

describe('memory of every kind is used in place', () => {
  it('shared', async () => {
    const data = new Float32Array(new SharedArrayBuffer(16));
    data.set([1, 2, 3, 4]);
    await gives({ data, dims: [1, 1, 2, 2] });
    await gives(input(), { out: { data: new Float32Array(new SharedArrayBuffer(64)), dims } });
  });

  it('a pooled Buffer', async () => {
    const data = Buffer.from([1, 2, 3, 4]);
    const y = await interpolate({ data, dims: [1, 1, 2, 2] }, o);
    expect(y.type).toBe('uint8');
    expect([...(y.data as Uint8Array)]).toEqual(doubled);
  });

  it('a view with an offset', async () => {
    const data = Float32Array.of(9, 9, 9, 1, 2, 3, 4, 9).subarray(3, 7);
    await gives({ data, dims: [1, 1, 2, 2] });
    const around = new Float32Array(20).fill(9);
    await gives(input(), { out: { data: around.subarray(2, 18), dims } });
    expect([...around.subarray(0, 2), ...around.subarray(18)]).toEqual([9, 9, 9, 9]);
  });

  it('is kept alive while a call reads it', async () => {
    const calls = [];
    for (let i = 0; i < 40; i++) {
      const x = { data: new Float32Array(1 << 18).fill(i), dims: [1, 1, 512, 512] };
      calls.push(interpolate(x, { size: [512, 513], mode: 'nearest' }));
      (globalThis as { gc?: () => void }).gc?.();
    }
    for (const [i, y] of (await Promise.all(calls)).entries()) {
      const data = y.data as Float32Array;
      expect(data.every((v) => v === i)).toBe(true);
    }
  });
});

describe('options of a call', () => {
  it('refuses a signal in a synchronous call', () => {
    const signal = new AbortController().signal;
    expect(() => interpolateSync(input(), { ...o, signal } as never)).toThrow(
      /signal must be left out of a synchronous call/,
    );
  });

  it('refuses what is no signal', async () => {
    await expect(interpolate(input(), { ...o, signal: {} as AbortSignal })).rejects.toMatchObject({
      code: 'ERR_UPSAMPLING_OPTION',
      param: 'signal',
    });
  });

  it('rejects with the reason of an aborted signal, before anything is written', async () => {
    const reason = new Error('enough');
    const out = { data: new Float32Array(16), dims };
    await expect(interpolate(input(), { ...o, out, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(out.data.every((v) => v === 0)).toBe(true);
    await interpolate(input(), { ...o, out });
  });

  it.each([0, -1, 1.5, 1025, '2', null])('refuses %s threads', async (threads) => {
    await refuses(
      input(),
      { threads },
      'ERR_UPSAMPLING_OPTION',
      /threads must be an integer from 1 to 1024, got/,
    );
    expect(() => runtime.setThreads(threads as number)).toThrow(/must be an integer from 1 to 1024/);
  });

  it('gives the same bits with any number of threads', async () => {
    const x = { data: new Float32Array(3 * 97 * 89).map((_, i) => Math.sin(i)), dims: [1, 3, 97, 89] };
    const resize = { size: [301, 407], mode: 'bicubic' } as const;
    const one = interpolateSync(x, { ...resize, threads: 1 });
    const bytes = (t: Tensor) => Buffer.from(t.data.buffer as ArrayBuffer);
    const same = (t: Tensor) => bytes(t).equals(bytes(one));
    for (const threads of [2, 3, 7, 16]) {
      expect(same(interpolateSync(x, { ...resize, threads }))).toBe(true);
      expect(same(await interpolate(x, { ...resize, threads }))).toBe(true);
    }
  });

  it('turns mistakes into rejections', async () => {
    const promise = interpolate(undefined as never, undefined as never);
    await expect(promise).rejects.toBeInstanceOf(ArgumentError);
  });
});

describe('results larger than memory', () => {
  it('are refused in words', async () => {
    const x = { data: new Uint8Array(1), dims: [1, 1, 1, 1] };
    for (const size of [2 ** 26, 2 ** 21, 2 ** 31 - 1])
      expect(() => interpolateSync(x, { size: [size, size] })).toThrow(ArgumentError);
    await expect(interpolate(x, { size: 2 ** 21 })).rejects.toMatchObject({ code: 'ERR_UPSAMPLING_MEMORY' });
    expect(interpolateSync(x, { size: 2 }).data.length).toBe(4);
  });
});
