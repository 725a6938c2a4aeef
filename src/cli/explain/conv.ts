/** Convolution: a window of the input at a time. Transposed convolution: a stamp of the kernel at a time. */
import type { ConvOptions, ConvTransposeOptions } from '../../index.js';
import * as reference from '../../reference.js';
import { extents, type Values } from '../command.js';
import { cells, planeOf, rowsOf, show, sideBySide, sizeOf } from './panels.js';
import type { Topic } from './topic.js';
import { impulse, matrixOption, readsOf, windowOptions } from './windows.js';

/** The edge detector of the textbooks and a picture for it. */
export const EDGES = '0 1 0; 1 -4 1; 0 1 0';
export const PICTURE = '0 1 0 1 1; 0 0 1 1 0; 1 1 0 1 0; 0 1 0 0 1; 0 0 1 1 0';

const optionsOf = (op: string, values: Values) =>
  windowOptions(values, (name) => extents(op, values, name, 'an integer or one per axis, as in 2x1'));

export const conv: Topic = {
  summary: 'convolution: the windows of the input and what each adds up to',
  options: ['input', 'kernel', 'stride', 'padding', 'dilation'],
  text: (values) => {
    const op = 'explain conv';
    const input = matrixOption(op, values, 'input', PICTURE);
    const kernel = matrixOption(op, values, 'kernel', EDGES);
    const options = optionsOf(op, values) as ConvOptions;
    const output = rowsOf(reference.conv2dSync(planeOf(input), planeOf(kernel), options));
    // A kernel that numbers its taps shows which tap reads what.
    const numbered = kernel.map((row, y) => row.map((_, x) => y * row.length + x + 1));
    const { reads, columns } = readsOf(input, (x) => reference.conv2dSync(x, planeOf(numbered), options));
    const panels = reads.map((window, o) => {
      const [y, x] = [Math.floor(o / columns), o % columns];
      const taps = kernel.map((row, ky) =>
        row.map((w, kx) => {
          const read = window.find((r) => r.answer === numbered[ky]![kx]);
          return `${read === undefined ? '·' : show(input[read.y]![read.x]!)}×${show(w)}`;
        }),
      );
      return { title: `out[${y},${x}] = ${show(output[y]![x]!)}`, cells: taps };
    });
    return [
      'Convolution (as in every network: the kernel is not flipped): the kernel is laid on a window of the input,',
      'input × kernel is added up, and the window moves on: out[y, x] = Σ kernel[i, j] · in[y·s + i·d − p, x·s + j·d − p]',
      '',
      sideBySide([
        { title: `input ${sizeOf(input)}`, cells: cells(input) },
        { title: `kernel ${sizeOf(kernel)}`, cells: cells(kernel) },
        { title: `output ${sizeOf(output)}`, cells: cells(output) },
      ]),
      'the windows, input × kernel (· is padding)',
      sideBySide(panels),
    ].join('\n');
  },
};

export const convTranspose: Topic = {
  summary: 'transposed convolution: one stamp of the kernel per input element, and their sum',
  options: ['input', 'kernel', 'stride', 'padding', 'output-padding', 'dilation'],
  text: (values) => {
    const op = 'explain conv-transpose';
    const input = matrixOption(op, values, 'input', '0 1; 2 3');
    const kernel = matrixOption(op, values, 'kernel', '0 1; 2 3');
    const options = optionsOf(op, values) as ConvTransposeOptions;
    const run = (x: readonly (readonly number[])[], w: readonly (readonly number[])[]) =>
      rowsOf(reference.convTranspose2dSync(planeOf(x), planeOf(w), options));
    const output = run(input, kernel);
    const ones = kernel.map((row) => row.map(() => 1));
    const panels = input.flatMap((row, y) =>
      row.map((v, x) => {
        const stamp = run(impulse(input, y, x, v), kernel);
        const touched = run(impulse(input, y, x, 1), ones);
        return {
          title: `in[${y},${x}] = ${show(v)}`,
          cells: stamp.map((r, oy) => r.map((c, ox) => (touched[oy]![ox] === 0 ? '·' : show(c)))),
        };
      }),
    );
    const count = run(
      input.map((row) => row.map(() => 1)),
      ones,
    );
    return [
      'Transposed convolution: every input element stamps the kernel, times itself, onto the output; stamps that',
      'meet add up: out[y·s + i·d − p, x·s + j·d − p] += in[y, x] · kernel[i, j]',
      '',
      sideBySide([
        { title: `input ${sizeOf(input)}`, cells: cells(input) },
        { title: `kernel ${sizeOf(kernel)}`, cells: cells(kernel) },
      ]),
      'one panel per input element (· is not touched)',
      sideBySide(panels),
      sideBySide([
        { title: `their sum: output ${sizeOf(output)}`, cells: cells(output) },
        { title: 'stamps that meet there', cells: cells(count) },
      ]),
    ].join('\n');
  },
};
