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
  readonly bytes: number;
}

/** The last call of an operator, laid out to be compared with the next one without a signature: most calls repeat it. */
interface Recent {
  readonly types: readonly string[];
  /** Of every tensor: how many dims, and the dims. */
  readonly dims: readonly number[];
  readonly names: readonly string[];
  readonly values: readonly unknown[];
  readonly plan: object;
}

/** Calls kept at most; the oldest goes first. */
const MOST = 256;
/** Bytes of tables that a plan may have to be kept. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Bytes of the tables of all plans that are kept. */
const MOST_BYTES_OF_ALL = 16 * 1024 * 1024;
let bytesOfAll = 0;

const entries = new Map<number, Entry>();
const recent = new Map<string, Recent>();

/** Options that say where and how to run, not what. */
const isRunOption = (name: string) => name === 'out' || name === 'threads' || name === 'signal';

/** What of an option counts: of `bias` only that there is one. */
const counted = (name: string, value: unknown): unknown =>
  name === 'bias' ? value !== undefined && value !== null : value;

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

/**
 * The plan of a call: an earlier one for the same signature, or what `make` checks and plans. Without `out`, `threads` and
 * `signal`, every option counts.
 */
export function planned<P extends object>(
  op: string,
  tensors: readonly Shape[],
  options: object | undefined,
  make: () => P,
): P {
  const last = recent.get(op);
  if (last !== undefined && repeats(last, tensors, options)) return last.plan as P;
  length = 0;
  hash = 0;
  put(op);
  for (let t = 0; t < tensors.length; t++) {
    const { type, dims } = tensors[t]!;
    put(type);
    put(dims.length);
    for (let i = 0; i < dims.length; i++) put(dims[i]);
  }
  if (options !== undefined) {
    if (options === null || typeof options !== 'object') return make();
    for (const name in options) {
      if (isRunOption(name)) continue;
      put(name);
      if (!put(counted(name, (options as Record<string, unknown>)[name]))) return make();
    }
  }
  const known = entries.get(hash);
  if (known !== undefined && same(known.signature)) {
    recent.set(op, recentOf(tensors, options, known.plan));
    return known.plan as P;
  }
  const key = hash;
  const signature = scratch.slice(0, length);
  const plan = make();
  const bytes = tableBytes(plan);
  if (bytes > MOST_BYTES) return plan;
  forget(key);
  bytesOfAll += bytes;
  for (const oldest of entries.keys()) {
    if (entries.size < MOST && bytesOfAll <= MOST_BYTES_OF_ALL) break;
    forget(oldest);
  }
  entries.set(key, { signature, plan, bytes });
  recent.set(op, recentOf(tensors, options, plan));
  return plan;
}

function forget(key: number): void {
  bytesOfAll -= entries.get(key)?.bytes ?? 0;
  entries.delete(key);
}

/** Bytes of the arrays of numbers in a plan. */
function tableBytes(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value !== 'object' || value === null) return 0;
  let bytes = 0;
  for (const name in value) bytes += tableBytes((value as Record<string, unknown>)[name]);
  return bytes;
}

function same(signature: readonly unknown[]): boolean {
  if (signature.length !== length) return false;
  for (let i = 0; i < length; i++) if (signature[i] !== scratch[i]) return false;
  return true;
}

/** Copies: the caller may write to his own dims and options between calls. */
function recentOf(tensors: readonly Shape[], options: object | undefined, plan: object): Recent {
  const names: string[] = [];
  const values: unknown[] = [];
  for (const name in options) {
    if (isRunOption(name)) continue;
    const value = counted(name, (options as Record<string, unknown>)[name]);
    names.push(name);
    values.push(Array.isArray(value) ? value.slice() : value);
  }
  return {
    types: tensors.map((t) => t.type),
    dims: tensors.flatMap((t) => [t.dims.length, ...t.dims]),
    names,
    values,
    plan,
  };
}

function repeats(last: Recent, tensors: readonly Shape[], options: object | undefined): boolean {
  const { types, dims, names, values } = last;
  if (types.length !== tensors.length) return false;
  let at = 0;
  for (let t = 0; t < tensors.length; t++) {
    const tensor = tensors[t]!;
    const extents = tensor.dims;
    if (tensor.type !== types[t] || dims[at++] !== extents.length) return false;
    for (let i = 0; i < extents.length; i++) if (extents[i] !== dims[at++]) return false;
  }
  let n = 0;
  if (options !== undefined) {
    if (options === null || typeof options !== 'object') return false;
    for (const name in options) {
      if (isRunOption(name)) continue;
      if (n === names.length || name !== names[n]) return false;
      const value = counted(name, (options as Record<string, unknown>)[name]);
      const known = values[n++];
      if (value !== known && !(Array.isArray(known) && alike(value, known))) return false;
    }
  }
  return n === names.length;
}

/** Lists of plain values alone are ever kept; those within are compared by identity, so they never count as alike. */
function alike(value: unknown, known: readonly unknown[]): boolean {
  if (!Array.isArray(value) || value.length !== known.length) return false;
  for (let i = 0; i < known.length; i++)
    if (value[i] !== known[i] || typeof value[i] === 'object') return false;
  return true;
}
