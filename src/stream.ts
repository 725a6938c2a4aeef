/** Many inputs through an asynchronous operator: several at once, in order or not, never more than the reader can take. */
import { flag, knownOptions } from './check.js';
import { mustBe } from './errors.js';

export interface StreamOptions {
  /** Items in work at once; default 4. Results that wait to be read count. */
  readonly concurrency?: number | undefined;
  /** Results in the order of the inputs (default), or as they come. */
  readonly ordered?: boolean | undefined;
  /** Ends the stream: calls in work are cancelled, the iteration throws `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** No further item is begun while inputs and results in work hold more bytes than this; one always is. Default 1 GiB. */
  readonly maxBytes?: number | undefined;
}

/** Thrown by a stream when the operator fails for an item; `cause` is the failure. */
export class StreamError<Item = unknown> extends Error {
  override readonly name = 'StreamError';
  /** The input at fault and its position in the stream. */
  readonly item: Item;
  readonly index: number;

  constructor(item: Item, index: number, cause: unknown) {
    super(`stream: item ${index} failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.item = item;
    this.index = index;
  }
}

interface Work<Item, Result> {
  readonly item: Item;
  readonly index: number;
  bytes: number;
  /** Never rejects; resolves to itself. */
  ended: Promise<Work<Item, Result>>;
  outcome?: { readonly value: Result } | { readonly error: unknown };
}

/**
 * The results of `op` for every input: `for await (const y of stream(inputs, (x, { signal }) => interpolate(x, { size, signal })))`.
 *
 * `inputs` is anything that can be iterated, at once or asynchronously: an array, a generator, a Node or a web stream; what it
 * returns can be given to `Readable.from` and `ReadableStream.from`. Inputs are asked for only as results are taken. When the
 * reader stops, when an item fails (StreamError) or `signal` aborts, calls in work are cancelled through the signal given to `op`, and the
 * source is closed.
 */
export async function* stream<Item, Result>(
  inputs: Iterable<Item> | AsyncIterable<Item>,
  op: (item: Item, options: { readonly signal: AbortSignal }) => Promise<Result> | Result,
  options: StreamOptions = {},
): AsyncGenerator<Awaited<Result>, void, undefined> {
  const { concurrency, ordered, maxBytes } = checked(inputs, op, options);
  options.signal?.throwIfAborted();
  const controller = new AbortController();
  const { signal } = controller;
  const source = (
    Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]()
  ) as AsyncIterator<Item> | Iterator<Item>;
  let abort = () => {};
  const aborted = new Promise<'aborted'>((resolve) => {
    abort = () => resolve('aborted');
  });
  options.signal?.addEventListener('abort', abort, { once: true });

  const working: Work<Item, Result>[] = [];
  let held = 0;
  let begun = 0;
  let exhausted = false;
  let next: Promise<{ readonly step: IteratorResult<Item> } | { readonly failure: unknown }> | undefined;

  const begin = (item: Item): void => {
    const work: Work<Item, Result> = {
      item,
      index: begun++,
      bytes: bytesIn(item),
      ended: undefined as never,
    };
    held += work.bytes;
    work.ended = (async () => {
      try {
        const value = await op(item, { signal });
        work.outcome = { value };
        work.bytes += bytesIn(value);
        held += bytesIn(value);
      } catch (error) {
        work.outcome = { error };
      }
      return work;
    })();
    working.push(work);
  };

  try {
    for (;;) {
      const room = working.length < concurrency && (held < maxBytes || working.length === 0);
      if (room && !exhausted)
        next ??= (async () => {
          try {
            return { step: await source.next() };
          } catch (failure) {
            return { failure };
          }
        })();
      const waiting: Promise<unknown>[] = ordered
        ? working.slice(0, 1).map((w) => w.ended)
        : working.map((w) => w.ended);
      if (next !== undefined) waiting.push(next);
      if (waiting.length === 0) return;
      const event = await Promise.race([aborted, ...waiting]);
      if (event === 'aborted') throw options.signal!.reason;
      const { step, failure } = event as { step?: IteratorResult<Item>; failure?: unknown };
      if (step !== undefined) {
        next = undefined;
        if (step.done === true) exhausted = true;
        else begin(step.value);
      } else if ('failure' in (event as object)) {
        exhausted = true;
        next = undefined;
        throw failure;
      } else {
        const work = event as Work<Item, Result>;
        working.splice(working.indexOf(work), 1);
        held -= work.bytes;
        const outcome = work.outcome!;
        if ('error' in outcome) throw new StreamError(work.item, work.index, outcome.error);
        yield outcome.value as Awaited<Result>;
        if (options.signal?.aborted) throw options.signal.reason;
      }
    }
  } finally {
    options.signal?.removeEventListener('abort', abort);
    controller.abort(options.signal?.aborted ? options.signal.reason : undefined);
    await Promise.all(working.map((w) => w.ended));
    // A source that is still producing its next item ends when it has; it is not waited for.
    const closed = exhausted ? undefined : source.return?.();
    if (next === undefined) await closed;
    else void Promise.resolve(closed).catch(() => {});
  }
}

function checked(inputs: unknown, op: unknown, options: StreamOptions) {
  const name = 'stream';
  knownOptions(name, options, ['concurrency', 'ordered', 'signal', 'maxBytes']);
  if (
    inputs === null ||
    typeof inputs !== 'object' ||
    !(Symbol.asyncIterator in inputs || Symbol.iterator in inputs)
  )
    mustBe(name, 'inputs', 'iterable', inputs, 'ERR_UPSAMPLING_ARGUMENT');
  if (typeof op !== 'function') mustBe(name, 'op', 'a function', op, 'ERR_UPSAMPLING_ARGUMENT');
  const { concurrency = 4, maxBytes = 2 ** 30, signal } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1)
    mustBe(name, 'concurrency', 'a positive integer', concurrency);
  if (typeof maxBytes !== 'number' || !(maxBytes > 0))
    mustBe(name, 'maxBytes', 'a positive number', maxBytes);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    mustBe(name, 'signal', 'an AbortSignal', signal);
  return { concurrency, maxBytes, ordered: flag(name, 'ordered', options.ordered, true) };
}

/** Bytes of the typed arrays in a value: a tensor, an array, or an object or list of such. */
function bytesIn(value: unknown, depth = 0): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (value === null || typeof value !== 'object' || depth > 2) return 0;
  let n = 0;
  for (const v of Array.isArray(value) ? value : Object.values(value))
    if (typeof v === 'object') n += bytesIn(v, depth + 1);
  return n;
}
