/** The only type tests of options in the package: each returns the value, typed, or throws through errors.ts. */
import { mustBe, refuse, unknownOption } from './errors.js';

/** A number or one number per spatial axis, as PyTorch takes kernel sizes, strides and paddings. */
export type PerAxis = number | readonly number[];

const LIMIT = 0x7fffffff;

/** Refuses options nobody knows, and option bags that are not plain objects. */
export function knownOptions(op: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return;
  if (options === null || typeof options !== 'object' || Array.isArray(options))
    mustBe(op, 'options', 'an object', options, 'ERR_UPSAMPLING_ARGUMENT');
  for (const name in options as object) if (!known.includes(name)) unknownOption(op, name, known);
}

/**
 * The options as an object made here. They are read many times in a call, and objects that were put together by spreading others
 * have a hidden class of their own, of which every read costs 60 ns and more. What is not a plain object stays.
 */
export function plain<T extends object | undefined>(options: T): T {
  if (typeof options !== 'object' || options === null) return options;
  if (Object.getPrototypeOf(options) !== Object.prototype) return options;
  return { ...options };
}

const countWord = ['no', 'one', 'two', 'three', 'four', 'five'];

/** What `perAxis` accepts, in words: "two positive integers". */
function axesOf(n: number, kind: string): string {
  const one = `a ${kind}`;
  return n === 1 ? one : `${one} or ${countWord[n] ?? n} ${kind}s`;
}

function perAxis(op: string, param: string, value: unknown, n: number, min: number, kind: string): number[] {
  if (typeof value === 'number') {
    if (!Number.isInteger(value) || value < min || value > LIMIT) mustBe(op, param, axesOf(n, kind), value);
    return new Array<number>(n).fill(value);
  }
  const list = value as readonly number[];
  if (!Array.isArray(value) || (value.length !== n && value.length !== 1))
    mustBe(op, param, axesOf(n, kind), value);
  for (const v of list)
    if (!Number.isInteger(v) || v < min || v > LIMIT) mustBe(op, param, axesOf(n, kind), value);
  return list.length === n ? list.slice() : new Array<number>(n).fill(list[0]!);
}

/** n positive integers, from a number or a list of n (or of one). */
export const positivePerAxis = (op: string, param: string, value: unknown, n: number): number[] =>
  perAxis(op, param, value, n, 1, 'positive integer');

/** n integers >= 0, from a number or a list of n (or of one). */
export const countPerAxis = (op: string, param: string, value: unknown, n: number): number[] =>
  perAxis(op, param, value, n, 0, 'non-negative integer');

/** n positive finite numbers, from a number or a list of n. */
export function scalePerAxis(op: string, param: string, value: unknown, n: number): number[] {
  const ok = (v: unknown) => typeof v === 'number' && Number.isFinite(v) && v > 0;
  if (ok(value)) return new Array<number>(n).fill(value as number);
  if (!Array.isArray(value) || value.length !== n || !value.every(ok))
    mustBe(op, param, axesOf(n, 'positive number'), value);
  return (value as number[]).slice();
}

/** A positive integer. */
export function positiveInt(op: string, param: string, value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > LIMIT)
    mustBe(op, param, 'a positive integer', value);
  return value as number;
}

/** An integer >= 0. */
export function count(op: string, param: string, value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > LIMIT)
    mustBe(op, param, 'a non-negative integer', value);
  return value as number;
}

/** An integer within limits. */
export function integer(op: string, param: string, value: unknown, low: number, high = LIMIT): number {
  if (!Number.isInteger(value) || (value as number) < low || (value as number) > high)
    mustBe(op, param, `an integer ${limits(low, high)}`, value);
  return value as number;
}

/** A list (array or integer typed array) of `length` integers within limits; of any length when that is undefined. */
export function integers(
  op: string,
  param: string,
  value: unknown,
  length: number | undefined,
  low: number,
  high = LIMIT,
): number[] {
  const list =
    Array.isArray(value) || ArrayBuffer.isView(value) ? Array.from(value as Int32Array, Number) : [];
  if (
    (!Array.isArray(value) && !ArrayBuffer.isView(value)) ||
    (length !== undefined && list.length !== length) ||
    !list.every((v) => Number.isInteger(v) && v >= low && v <= high)
  )
    mustBe(
      op,
      param,
      `a list of ${length === undefined ? '' : `${length} `}integers ${limits(low, high)}`,
      value,
    );
  return list;
}

const limits = (low: number, high: number): string =>
  high === LIMIT ? `of at least ${low}` : `from ${low} to ${high}`;

/** A finite number. */
export function finite(op: string, param: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) mustBe(op, param, 'a finite number', value);
  return value;
}

/** One of a list of words. */
export function oneOf<T extends string>(op: string, param: string, value: unknown, words: readonly T[]): T {
  if (!words.includes(value as T)) mustBe(op, param, `one of ${words.join(', ')}`, value);
  return value as T;
}

/** true or false, or the default when left out. */
export function flag(op: string, param: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value !== 'boolean') mustBe(op, param, 'true or false', value);
  return value;
}

/** Refuses a tensor rank that is not listed. */
export function rank(op: string, param: string, dims: readonly number[], allowed: readonly number[]): void {
  if (!allowed.includes(dims.length))
    refuse(
      op,
      `${param}.dims`,
      `${param} must have ${allowed.join(' or ')} dimensions, got [${dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
}
