/** What a command is, and how its words on the command line become values. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { ArgumentError, mustBe, unknownOption } from '../errors.js';

export type OptionTable = NonNullable<ParseArgsConfig['options']>;
export type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` prints: usage, options, examples. */
  readonly help: string;
  readonly options: OptionTable;
  /** Does the work; a returned number other than 0 is the exit code of work that ended but found a fault. */
  readonly run: (words: readonly string[], values: Values) => Promise<number | undefined>;
}

/** Wrong usage: exit code 2. */
export class UsageError extends Error {}

/** Splits the words after the command's name. */
export function parse(
  name: string,
  command: Command,
  argv: readonly string[],
): { words: string[]; values: Values } {
  const options: OptionTable = { ...command.options, help: { type: 'boolean', short: 'h' } };
  try {
    const { positionals, values } = parseArgs({
      args: joinNegative(argv, options),
      options,
      allowPositionals: true,
      strict: true,
    });
    return { words: positionals, values };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || !code.startsWith('ERR_PARSE_ARGS_')) throw error;
    const given = /^Unknown option '(-[^']*)'/.exec(message)?.[1];
    if (given !== undefined)
      unknownOption(
        name,
        given,
        Object.keys(options).map((o) => `--${o}`),
      );
    throw new UsageError(`${name}: ${message.split(/\n|\. /, 1)[0]}`);
  }
}

/** A value that begins with a minus and a digit is a number, not an option: --input "-1 2" is --input="-1 2". */
function joinNegative(argv: readonly string[], options: OptionTable): string[] {
  const joined: string[] = [];
  for (const word of argv) {
    const last = joined[joined.length - 1];
    const takes = last?.startsWith('--') && options[last.slice(2)]?.type === 'string';
    if (takes && /^-[\d.]/.test(word)) joined[joined.length - 1] = `${last}=${word}`;
    else joined.push(word);
  }
  return joined;
}

export function text(values: Values, name: string): string | undefined {
  return values[name] as string | undefined;
}

/** "480x640" or "480" → one extent per axis, or one for all. */
export function extents(
  op: string,
  values: Values,
  name: string,
  words = 'HEIGHTxWIDTH, as in 480x640',
): number | number[] | undefined {
  return numbers(op, name, text(values, name), /^\d+(x\d+)*$/, words);
}

/** "2" or "2x1.5" → one factor per axis, or one for all. */
export function factors(op: string, values: Values, name: string): number | number[] | undefined {
  return numbers(op, name, text(values, name), /^[\d.]+(x[\d.]+)*$/, 'a factor or one per axis, as in 2x1.5');
}

function numbers(
  op: string,
  name: string,
  value: string | undefined,
  grammar: RegExp,
  words: string,
): number | number[] | undefined {
  if (value === undefined) return undefined;
  const list = value.split('x').map(Number);
  if (!grammar.test(value) || list.some((n) => !Number.isFinite(n))) mustBe(op, `--${name}`, words, value);
  return list.length === 1 ? list[0]! : list;
}

/** An integer within bounds. */
export function integer(
  op: string,
  values: Values,
  name: string,
  low: number,
  high: number,
): number | undefined {
  const value = text(values, name);
  if (value === undefined) return undefined;
  const n = Number(value);
  if (!/^-?\d+$/.test(value) || n < low || n > high)
    mustBe(op, `--${name}`, `an integer from ${low} to ${high}`, value);
  return n;
}

/** A finite number. */
export function number(op: string, values: Values, name: string): number | undefined {
  const value = text(values, name);
  if (value === undefined) return undefined;
  const n = Number(value);
  if (value.trim() === '' || !Number.isFinite(n)) mustBe(op, `--${name}`, 'a number', value);
  return n;
}

/** "0 1; 2 3" → rows of numbers, all of one length. */
export function matrix(op: string, name: string, value: string): number[][] {
  const rows = value
    .trim()
    .split(';')
    .map((row) =>
      row
        .trim()
        .split(/[\s,]+/)
        .map(Number),
    );
  const width = rows[0]!.length;
  if (/^[\s;]*$/.test(value) || rows.some((row) => row.length !== width || !row.every(Number.isFinite)))
    mustBe(op, `--${name}`, 'rows of numbers, as in "0 1; 2 3"', value);
  return rows;
}

/** The exit code of a failure: 2 when what was typed is wrong, 1 when the work could not be done. */
export function exitCode(error: unknown): number {
  if (error instanceof UsageError) return 2;
  return error instanceof ArgumentError && error.code === 'ERR_UPSAMPLING_OPTION' ? 2 : 1;
}
