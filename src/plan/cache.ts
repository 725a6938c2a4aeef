/**
 * Plans of the calls seen lately, so that a repeated small call does not pay for checking its options and planning again.
 *
 * A plan follows from the operator, the type and dims of the call's tensors, and the options as they were written. Only calls
 * that were checked and planned once are kept, so a hit needs no check. Options whose value is not plain (a tensor, an object)
 * make a call that is always planned anew.
 */

/** What the plan of a call follows from, of one of its tensors. */
interface Shape {
  readonly type: string;
  readonly dims: readonly number[];
}

/** A call that was planned, laid out to be compared with another without making anything. */
interface Entry {
  readonly op: string;
  readonly types: readonly string[];
  /** Of every tensor: how many dims, and the dims. */
  readonly dims: readonly number[];
  readonly names: readonly string[];
  readonly values: readonly unknown[];
  readonly plan: object;
  readonly bytes: number;
}

/** Calls kept at most; the oldest shape goes first. */
const MOST = 256;
/** Calls kept of one shape: they are compared one by one. */
const MOST_OF_SHAPE = 8;
/** Bytes of tables that a plan may have to be kept. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Bytes of the tables of all plans that are kept. */
const MOST_BYTES_OF_ALL = 16 * 1024 * 1024;
let bytesOfAll = 0;
let kept = 0;

/** By a hash of their dims, the latest first. */
const entries = new Map<number, Entry[]>();

/** Options that say where and how to run, not what. */
const isRunOption = (name: string) => name === 'out' || name === 'threads' || name === 'signal';

/** What of an option counts: of `bias` only that there is one. */
const counted = (name: string, value: unknown): unknown =>
  name === 'bias' ? value !== undefined && value !== null : value;

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
  const key = hashOf(tensors);
  const list = entries.get(key);
  if (list !== undefined)
    for (let i = 0; i < list.length; i++)
      if (repeats(list[i]!, op, tensors, options)) return list[i]!.plan as P;
  const plan = make();
  keep(key, op, tensors, options, plan);
  return plan;
}

function hashOf(tensors: readonly Shape[]): number {
  let hash = tensors.length;
  for (let t = 0; t < tensors.length; t++) {
    const { dims } = tensors[t]!;
    for (let i = 0; i < dims.length; i++) hash = (Math.imul(hash, 31) + dims[i]!) | 0;
  }
  return hash;
}

function repeats(e: Entry, op: string, tensors: readonly Shape[], options: object | undefined): boolean {
  const { types, dims, names, values } = e;
  if (e.op !== op || types.length !== tensors.length) return false;
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

/** Lists of plain values alone are ever kept. */
function alike(value: unknown, known: readonly unknown[]): boolean {
  if (!Array.isArray(value) || value.length !== known.length) return false;
  for (let i = 0; i < known.length; i++) if (value[i] !== known[i]) return false;
  return true;
}

/** Copies: the caller may write to his own dims and options between calls. */
function keep(
  key: number,
  op: string,
  tensors: readonly Shape[],
  options: object | undefined,
  plan: object,
): void {
  const names: string[] = [];
  const values: unknown[] = [];
  if (options !== undefined && (options === null || typeof options !== 'object')) return;
  for (const name in options) {
    if (isRunOption(name)) continue;
    const value = counted(name, (options as Record<string, unknown>)[name]);
    if (!(Array.isArray(value) ? value.every(isPlain) : isPlain(value))) return;
    names.push(name);
    values.push(Array.isArray(value) ? value.slice() : value);
  }
  const bytes = tableBytes(plan);
  if (bytes > MOST_BYTES) return;
  const list = entries.get(key) ?? [];
  if (list.length === MOST_OF_SHAPE) forget(list.pop()!);
  list.unshift({
    op,
    types: tensors.map((t) => t.type),
    dims: tensors.flatMap((t) => [t.dims.length, ...t.dims]),
    names,
    values,
    plan,
    bytes,
  });
  // Shapes stand in the order in which they were last planned for.
  entries.delete(key);
  entries.set(key, list);
  kept++;
  bytesOfAll += bytes;
  for (const [oldest, calls] of entries) {
    if (kept <= MOST && bytesOfAll <= MOST_BYTES_OF_ALL) break;
    entries.delete(oldest);
    calls.forEach(forget);
  }
}

const isPlain = (value: unknown): boolean =>
  value === undefined || typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean';

function forget(entry: Entry): void {
  bytesOfAll -= entry.bytes;
  kept--;
}

/** Bytes of the arrays of numbers in a plan. */
function tableBytes(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value !== 'object' || value === null) return 0;
  let bytes = 0;
  for (const name in value) bytes += tableBytes((value as Record<string, unknown>)[name]);
  return bytes;
}
