/**
 * Plans of the calls seen lately, so that a repeated small call does not pay for checking its options and planning again.
 *
 * A call's signature is everything its plan follows from: the operator, the type and dims of its tensors, and the options as
 * they were written. Only calls that were checked and planned once are kept, so a hit needs no check. Options whose value is
 * not plain (a tensor, an object) make a call that is always planned anew.
 */

/** What the plan of a call follows from, of one of its tensors. */
interface Shape {
  readonly type: string;
  readonly dims: readonly number[];
}

interface Entry {
  readonly signature: readonly unknown[];
  readonly plan: object;
}

/** Calls kept at most; the oldest goes first. */
const MOST = 256;
/** Tensors beyond this many elements take long enough to compute that planning is free, and their tables are large. */
const LARGEST = 1 << 20;

const entries = new Map<number, Entry>();

/** Options that say where and how to run, not what; and `bias`, of which only the presence counts. */
const isRunOption = (name: string) => name === 'out' || name === 'threads' || name === 'signal';

// One signature is built at a time, in place, so that a hit allocates nothing.
const scratch: unknown[] = [];
let length = 0;
let hash = 0;

function put(value: unknown): boolean {
  if (typeof value === 'number') hash = (Math.imul(hash, 31) + value) | 0;
  else if (typeof value === 'string')
    // Enough to keep the words of options and operators apart; equality is checked all the same.
    hash =
      (Math.imul(hash, 31) +
        value.length +
        (value.charCodeAt(0) << 8) +
        (value.charCodeAt(value.length - 1) << 16)) |
      0;
  else if (Array.isArray(value)) {
    put(value.length);
    for (let i = 0; i < value.length; i++) if (!put(value[i])) return false;
    return true;
  } else if (value === true) hash = (Math.imul(hash, 31) + 7) | 0;
  else if (value !== false && value !== undefined) return false;
  scratch[length++] = value;
  return true;
}

/** The plan of a call: an earlier one for the same signature, or what `make` checks and plans. */
export function planned<P extends object>(
  op: string,
  tensors: readonly Shape[],
  options: object | undefined,
  make: () => P,
): P {
  length = 0;
  hash = 0;
  put(op);
  let size = 1;
  for (let t = 0; t < tensors.length; t++) {
    const { type, dims } = tensors[t]!;
    put(type);
    put(dims.length);
    for (let i = 0; i < dims.length; i++) {
      put(dims[i]);
      if (t === 0) size *= dims[i]!;
    }
  }
  if (size > LARGEST) return make();
  if (options !== undefined) {
    if (options === null || typeof options !== 'object') return make();
    for (const name in options) {
      if (isRunOption(name)) continue;
      const value = (options as Record<string, unknown>)[name];
      put(name);
      if (name === 'bias') put(value !== undefined && value !== null);
      else if (!put(value)) return make();
    }
  }
  const known = entries.get(hash);
  if (known !== undefined && same(known.signature)) return known.plan as P;
  const key = hash;
  const signature = scratch.slice(0, length);
  const plan = make();
  if (entries.size >= MOST) entries.delete(entries.keys().next().value!);
  entries.set(key, { signature, plan });
  return plan;
}

function same(signature: readonly unknown[]): boolean {
  if (signature.length !== length) return false;
  for (let i = 0; i < length; i++) if (signature[i] !== scratch[i]) return false;
  return true;
}
