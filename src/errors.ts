/**
 * The one place that words messages.
 *
 * Every message is one sentence of one grammar: `operator: parameter must be WHAT, got VALUE`.
 */

/** What went wrong, for programs. The message is for people. */
export type ErrorCode =
  | 'ERR_UPSAMPLING_ARGUMENT'
  | 'ERR_UPSAMPLING_OPTION'
  | 'ERR_UPSAMPLING_SHAPE'
  | 'ERR_UPSAMPLING_TYPE'
  | 'ERR_UPSAMPLING_MEMORY'
  | 'ERR_UPSAMPLING_INDEX'
  | 'ERR_UPSAMPLING_BUFFER'
  | 'ERR_UPSAMPLING_ADDON'
  | 'ERR_UPSAMPLING_FILE';

/**
 * Thrown (or the reason of a rejection) for everything a caller can get wrong. Nothing has been written when it is
 * thrown, unless `code` is ERR_UPSAMPLING_MEMORY from inside a running operator: then `out` is undefined.
 */
export class ArgumentError extends TypeError {
  override readonly name = 'ArgumentError';
  /** Stable code of the kind of mistake. */
  readonly code: ErrorCode;
  /** The operator that was called, by its public name. */
  readonly op: string;
  /** The parameter or option at fault, or '' when the mistake is not in one. */
  readonly param: string;

  constructor(code: ErrorCode, op: string, param: string, message: string) {
    super(message);
    this.code = code;
    this.op = op;
    this.param = param;
  }
}

/** A value as it is shown in a message: short, on one line, and never the contents of a large array. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) {
    const head = value.slice(0, 8).map(show).join(', ');
    return `[${head}${value.length > 8 ? `, … ${value.length - 8} more` : ''}]`;
  }
  if (ArrayBuffer.isView(value)) {
    return `${value.constructor.name}(${(value as unknown as { length?: number }).length ?? value.byteLength})`;
  }
  if (value !== null && typeof value === 'object') return `an object with keys ${show(Object.keys(value))}`;
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Throws `op: param must be expected, got VALUE`. */
export function mustBe(
  op: string,
  param: string,
  expected: string,
  got: unknown,
  code: ErrorCode = 'ERR_UPSAMPLING_OPTION',
): never {
  throw new ArgumentError(code, op, param, `${op}: ${param} must be ${expected}, got ${show(got)}`);
}

/** Throws `op: sentence` for rules that relate several parameters. */
export function refuse(
  op: string,
  param: string,
  sentence: string,
  code: ErrorCode = 'ERR_UPSAMPLING_OPTION',
): never {
  throw new ArgumentError(code, op, param, `${op}: ${sentence}`);
}

/** Throws for an option nobody knows, naming the nearest known one when it is near. */
export function unknownOption(op: string, name: string, known: readonly string[], kind = 'option'): never {
  const near = nearest(name, known);
  const hint = near === undefined ? `known ${kind}s are ${known.join(', ')}` : `did you mean ${near}?`;
  throw new ArgumentError('ERR_UPSAMPLING_OPTION', op, name, `${op}: unknown ${kind} ${show(name)}, ${hint}`);
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (s: string) => s.toLowerCase().replace(/[^a-z0-9]/g, '');
  let best: string | undefined;
  let distance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const k of known) {
    const d = editDistance(plain(name), plain(k));
    if (d < distance) {
      distance = d;
      best = k;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
