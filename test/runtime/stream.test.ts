import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { interpolate, StreamError, stream, type Tensor } from '../../src/index.js';

const sleep = (ms: number) => new Promise((f) => setTimeout(f, ms));
const collect = async <T>(s: AsyncIterable<T>): Promise<T[]> => {
  const out: T[] = [];
  for await (const v of s) out.push(v);
  return out;
};
const numbers = Array.from({ length: 20 }, (_, i) => i);
/** Later items are faster. */
const slow = async (i: number) => {
  await sleep(20 - i);
  return i * i;
};
const squares = numbers.map((i) => i * i);

describe('stream', () => {
  it('keeps the order, with several in work', async () => {
    let working = 0;
    let most = 0;
    const op = async (i: number) => {
      most = Math.max(most, ++working);
      const v = await slow(i);
      working--;
      return v;
    };
    expect(await collect(stream(numbers, op, { concurrency: 5 }))).toEqual(squares);
    expect(most).toBe(5);
  });

  it('gives results as they come where order does not matter', async () => {
    const got = await collect(stream(numbers, slow, { concurrency: 20, ordered: false }));
    expect(got).not.toEqual(squares);
    expect([...got].sort((a, b) => a - b)).toEqual(squares);
  });

  it('runs operators on everything that can be iterated', async () => {
    const images = [1, 2, 3].map((v) => ({ data: new Float32Array(4).fill(v), dims: [1, 1, 2, 2] }));
    const op = (x: Tensor, { signal }: { signal: AbortSignal }) => interpolate(x, { size: 3, signal });
    async function* generator() {
      yield* images;
    }
    const sources = [
      images,
      new Set(images),
      generator(),
      Readable.from(images),
      ReadableStream.from(images),
    ];
    for (const source of sources) {
      const got = await collect(stream(source as Iterable<Tensor>, op as never));
      expect(got.map((y) => [...((y as Tensor).data as Float32Array)])).toEqual(
        [1, 2, 3].map((v) => Array(9).fill(v)),
      );
    }
  });

  it('feeds Node and web streams', async () => {
    const got: number[] = [];
    const sink = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write: (v: number, _, done) => {
        got.push(v);
        setTimeout(done, 1);
      },
    });
    await pipeline(Readable.from(numbers), (source) => stream(source as AsyncIterable<number>, slow), sink);
    expect(got).toEqual(squares);
    const web: number[] = [];
    const readable = ReadableStream.from(stream(numbers, slow)) as ReadableStream<number>;
    await readable.pipeTo(new WritableStream({ write: (v) => void web.push(v) }));
    expect(web).toEqual(squares);
  });

  it('asks for inputs only as results are taken', async () => {
    let asked = 0;
    function* source() {
      for (;;) yield asked++;
    }
    const s = stream(source(), async (i) => i, { concurrency: 3 });
    for (let i = 0; i < 10; i++) {
      expect((await s.next()).value).toBe(i);
      await sleep(2);
      expect(asked).toBeLessThanOrEqual(i + 4);
    }
    await s.return();
    expect(asked).toBeLessThanOrEqual(14);
  });

  it('begins nothing more while the bytes in work are too many', async () => {
    let working = 0;
    let most = 0;
    const op = async () => {
      most = Math.max(most, ++working);
      await sleep(3);
      working--;
      return new Uint8Array(10);
    };
    const inputs = Array.from({ length: 8 }, () => ({ data: new Uint8Array(1000), dims: [1000] }));
    await collect(stream(inputs, op, { concurrency: 8, maxBytes: 2500 }));
    expect(most).toBe(3);
    most = 0;
    await collect(stream(inputs, op, { concurrency: 8, maxBytes: 1 }));
    expect(most).toBe(1);
  });

  it('names the item that failed, cancels the rest and closes the source', async () => {
    let closed = false;
    let cancelled = 0;
    function* source() {
      try {
        yield* numbers;
      } finally {
        closed = true;
      }
    }
    const failure = new Error('no');
    const op = async (i: number, { signal }: { signal: AbortSignal }) => {
      if (i === 3) throw failure;
      await sleep(10);
      if (signal.aborted) cancelled++;
      return i;
    };
    const error = (await collect(stream(source(), op, { concurrency: 6, ordered: false })).catch(
      (e: unknown) => e,
    )) as StreamError<number>;
    expect(error).toBeInstanceOf(StreamError);
    expect(error).toMatchObject({ item: 3, index: 3, cause: failure });
    expect(error.message).toBe('stream: item 3 failed: no');
    expect(closed).toBe(true);
    expect(cancelled).toBeGreaterThan(0);
  });

  it('passes on what the source throws', async () => {
    const failure = new Error('no more');
    async function* source() {
      yield 1;
      throw failure;
    }
    await expect(collect(stream(source(), slow))).rejects.toBe(failure);
  });

  it('stops for a signal, also while it waits for a source', async () => {
    const reason = new Error('enough');
    await expect(collect(stream(numbers, slow, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    const controller = new AbortController();
    async function* source() {
      yield 1;
      await sleep(100_000);
      yield 2;
    }
    setTimeout(() => controller.abort(reason), 20);
    await expect(collect(stream(source(), slow, { signal: controller.signal }))).rejects.toBe(reason);
  });

  it('cancels calls in work when the reader leaves', async () => {
    const image = { data: new Float32Array(1 << 18), dims: [1, 1, 512, 512] };
    const rejected: unknown[] = [];
    const op = (_: number, { signal }: { signal: AbortSignal }) =>
      interpolate(image, { size: 4096, mode: 'bicubic', signal }).catch((e: unknown) => {
        rejected.push(e);
        throw e;
      });
    for await (const _ of stream(numbers, op, { concurrency: 4 })) break;
    expect(rejected.length).toBeGreaterThan(0);
  });

  it('refuses wrong arguments', async () => {
    const bad: [unknown, unknown, unknown][] = [
      [5, slow, {}],
      [numbers, 5, {}],
      [numbers, slow, { concurrency: 0 }],
      [numbers, slow, { maxBytes: 0 }],
      [numbers, slow, { ordered: 1 }],
      [numbers, slow, { signal: {} }],
      [numbers, slow, { concurency: 2 }],
    ];
    for (const [inputs, op, options] of bad)
      await expect(collect(stream(inputs as never, op as never, options as never))).rejects.toThrow(
        /^stream: /,
      );
  });
});
