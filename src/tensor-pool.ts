/** Warm memory for `out`: buffers that are given back are lent again, so that a server faults no new pages for every result. */
import { knownOptions } from './check.js';
import { ArgumentError, mustBe, refuse } from './errors.js';
import { adviseLargeResult, isBeingWritten } from './execute.js';
import {
  allocate,
  arrayOn,
  bytesOf,
  DATA_TYPES,
  type DataType,
  sizeOf,
  type Tensor,
  type TypedArray,
} from './tensor.js';

export interface TensorPoolOptions {
  /** Free memory that the pool may hold, in bytes; what is released beyond it goes to the garbage collector. */
  readonly maxBytes: number;
}

/** Lends tensors. `using pool = tensorPool({ maxBytes })` empties it at the end of the block. */
export interface TensorPool {
  /** A tensor whose contents are undefined: those of an earlier result. */
  allocate(type: DataType, dims: readonly number[]): Tensor;
  /**
   * Takes a tensor back, whose data must not be used any more. Throws for one that is not of this pool, was released before, or is
   * being written by a call that has not ended.
   */
  release(tensor: Tensor): void;
  /** Bytes that are free to be lent. */
  readonly freeBytes: number;
  /** Forgets all free memory and refuses further calls to `allocate`. */
  [Symbol.dispose](): void;
}

class Pool implements TensorPool {
  readonly #maxBytes: number;
  /** Free buffers by size; the sets keep the order in which they came back. */
  readonly #free = new Map<number, Set<ArrayBuffer>>();
  readonly #lent = new WeakMap<TypedArray, ArrayBuffer>();
  #freeBytes = 0;
  #disposed = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  allocate(type: DataType, dims: readonly number[]): Tensor {
    const op = 'tensorPool.allocate';
    if (this.#disposed) refuse(op, '', 'the pool must not be used after it was disposed of');
    if (!DATA_TYPES.includes(type))
      mustBe(op, 'type', `one of ${DATA_TYPES.join(', ')}`, type, 'ERR_UPSAMPLING_TYPE');
    if (!Array.isArray(dims) || !dims.every((d) => Number.isInteger(d) && d >= 0))
      mustBe(op, 'dims', 'an array of extents', dims, 'ERR_UPSAMPLING_SHAPE');
    const size = sizeOf(op, 'dims', dims);
    const bytes = sizeClass(size * bytesOf(type));
    const free = this.#free.get(bytes);
    let buffer: ArrayBuffer | undefined;
    if (free !== undefined && free.size > 0) {
      // The last one that came back is the warmest.
      buffer = [...free].at(-1)!;
      this.#drop(bytes, buffer);
    } else {
      const fresh = allocate(op, 'uint8', [bytes]).data;
      adviseLargeResult(fresh);
      buffer = fresh.buffer as ArrayBuffer;
    }
    const data = arrayOn(type, buffer, size);
    this.#lent.set(data, buffer);
    return { type, data, dims: dims.slice(), location: 'cpu' };
  }

  release(tensor: Tensor): void {
    const op = 'tensorPool.release';
    const data = (tensor as Tensor | null | undefined)?.data as TypedArray;
    const buffer = this.#lent.get(data);
    if (buffer === undefined)
      throw new ArgumentError(
        'ERR_UPSAMPLING_BUFFER',
        op,
        'tensor',
        `${op}: tensor must be one that this pool has lent and that was not released before`,
      );
    if (isBeingWritten(data))
      refuse(op, 'tensor', 'tensor is being written by a call that has not ended', 'ERR_UPSAMPLING_BUFFER');
    this.#lent.delete(data);
    // A buffer that was transferred away has no memory left to lend.
    if (this.#disposed || buffer.byteLength === 0 || buffer.byteLength > this.#maxBytes) return;
    const bytes = buffer.byteLength;
    let free = this.#free.get(bytes);
    if (free === undefined) {
      free = new Set();
      this.#free.set(bytes, free);
    }
    free.add(buffer);
    this.#freeBytes += bytes;
    this.#shrink(bytes);
  }

  /** Lets go of the sizes that were asked for longest ago, until the bound holds. */
  #shrink(newest: number): void {
    // The map keeps the order of insertion: the size just used becomes its last.
    const used = this.#free.get(newest)!;
    this.#free.delete(newest);
    this.#free.set(newest, used);
    for (const [bytes, set] of this.#free)
      for (const buffer of set) {
        if (this.#freeBytes <= this.#maxBytes) return;
        this.#drop(bytes, buffer);
      }
  }

  #drop(bytes: number, buffer: ArrayBuffer): void {
    const set = this.#free.get(bytes)!;
    set.delete(buffer);
    this.#freeBytes -= bytes;
    if (set.size === 0) this.#free.delete(bytes);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#free.clear();
    this.#freeBytes = 0;
  }
}

/** Sizes that share buffers: eight to each power of two, so at most an eighth is wasted. */
function sizeClass(bytes: number): number {
  const step = Math.max(64, 2 ** (Math.floor(Math.log2(Math.max(bytes, 1))) - 3));
  return Math.max(step, Math.ceil(bytes / step) * step);
}

/** A pool of warm memory for `out`, bounded by `maxBytes`. */
export function tensorPool(options: TensorPoolOptions): TensorPool {
  const op = 'tensorPool';
  knownOptions(op, options, ['maxBytes']);
  const maxBytes = (options as TensorPoolOptions | undefined)?.maxBytes;
  if (typeof maxBytes !== 'number' || !(maxBytes >= 0)) mustBe(op, 'maxBytes', 'a number of bytes', maxBytes);
  return new Pool(maxBytes);
}
