/** What every output element reads, found out from the operator itself: its answers to an input of one element set to 1. */
import { refuse } from '../../errors.js';
import type { Tensor, TensorLike } from '../../index.js';
import { matrix, text, type Values } from '../command.js';
import { planeOf, rowsOf } from './panels.js';

/** One input element that an output element reads. */
export interface Read {
  readonly y: number;
  readonly x: number;
  /** The operator's answer when only this element is 1. */
  readonly answer: number;
}

/** A larger example would be a wall of numbers. */
const LIMIT = 16;

/** The matrix of an option, or its default. */
export function matrixOption(op: string, values: Values, name: string, otherwise: string): number[][] {
  const rows = matrix(op, name, text(values, name) ?? otherwise);
  if (rows.length > LIMIT || rows[0]!.length > LIMIT)
    refuse(
      op,
      `--${name}`,
      `--${name} must be at most ${LIMIT}×${LIMIT}, got ${rows.length}×${rows[0]!.length}`,
    );
  return rows;
}

/** For every output element, in row-major order, the input elements that it reads. */
export function readsOf(
  input: readonly (readonly number[])[],
  apply: (x: TensorLike) => Tensor,
): { reads: Read[][]; rows: number; columns: number } {
  let reads: Read[][] | undefined;
  let rows = 0;
  let columns = 0;
  for (let y = 0; y < input.length; y++)
    for (let x = 0; x < input[0]!.length; x++) {
      const answers = rowsOf(apply(planeOf(impulse(input, y, x, 1))));
      rows = answers.length;
      columns = answers[0]!.length;
      reads ??= Array.from({ length: rows * columns }, () => []);
      for (const [o, answer] of answers.flat().entries()) if (answer !== 0) reads[o]!.push({ y, x, answer });
    }
  return { reads: reads!, rows, columns };
}

/** A matrix of the input's extents that is `value` at one place and 0 elsewhere. */
export function impulse(
  input: readonly (readonly number[])[],
  y: number,
  x: number,
  value: number,
): number[][] {
  return input.map((row, iy) => row.map((_, ix) => (iy === y && ix === x ? value : 0)));
}

/** The cells of a window as rows and columns, without the elements between them that it skips (dilation). */
export function windowCells(reads: readonly Read[], word: (read: Read) => string): string[][] {
  const ys = [...new Set(reads.map((r) => r.y))].sort((a, b) => a - b);
  const xs = [...new Set(reads.map((r) => r.x))].sort((a, b) => a - b);
  return ys.map((y) =>
    xs.map((x) => {
      const read = reads.find((r) => r.y === y && r.x === x);
      return read === undefined ? '·' : word(read);
    }),
  );
}

/** "2" or "2x1" → a number or one per axis; undefined when not given. */
export function windowOptions(
  values: Values,
  read: (name: string) => number | number[] | undefined,
): Record<string, number | number[] | string | boolean> {
  const options: Record<string, number | number[] | string | boolean> = {};
  for (const [name, key] of Object.entries(NAMES)) {
    const word = text(values, name);
    if (word === undefined) continue;
    options[key] = name === 'padding' && /^[a-z]/.test(word) ? word : read(name)!;
  }
  return options;
}

/** Options of the command line → options of the operators. */
const NAMES = {
  stride: 'stride',
  padding: 'padding',
  dilation: 'dilation',
  'output-padding': 'outputPadding',
  'kernel-size': 'kernelSize',
  'output-size': 'outputSize',
};
