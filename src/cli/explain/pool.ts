/** Pooling: the windows, who wins, and where unpooling puts the winner back. */
import { mustBe } from '../../errors.js';
import type { AvgPoolOptions, MaxPoolOptions, MaxUnpoolOptions } from '../../index.js';
import * as reference from '../../reference.js';
import { extents, text, type Values } from '../command.js';
import { cells, planeOf, rowsOf, show, sideBySide, sizeOf } from './panels.js';
import type { Topic } from './topic.js';
import { matrixOption, readsOf, windowCells, windowOptions } from './windows.js';

export const POOL_INPUT = '1 2 6 3; 3 5 2 1; 1 2 2 1; 7 3 4 8';

const optionsOf = (op: string, values: Values) => ({
  kernelSize: 2,
  ...windowOptions(values, (name) => extents(op, values, name, 'an integer or one per axis, as in 2x1')),
});

const place = (index: number, width: number) => `(${Math.floor(index / width)}, ${index % width})`;

export const maxPool: Topic = {
  summary: 'max pooling: the windows, the winners and their positions',
  options: ['input', 'kernel-size', 'stride', 'padding', 'dilation'],
  text: (values) => {
    const op = 'explain max-pool';
    const input = matrixOption(op, values, 'input', POOL_INPUT);
    const options = optionsOf(op, values) as Omit<MaxPoolOptions, 'out'>;
    const width = input[0]!.length;
    const pooled = reference.maxPool2dWithIndicesSync(planeOf(input), options);
    const output = rowsOf(pooled.output);
    const indices = rowsOf(pooled.indices);
    const { reads, columns } = readsOf(input, (x) => reference.maxPool2dSync(x, options));
    const panels = reads.map((window, o) => {
      const [y, x] = [Math.floor(o / columns), o % columns];
      const winner = indices[y]![x]!;
      return {
        title: `out[${y},${x}] = ${show(output[y]![x]!)} from ${place(winner, width)}`,
        cells: windowCells(window, (r) => {
          const v = show(input[r.y]![r.x]!);
          return r.y * width + r.x === winner ? `[${v}]` : `${v} `;
        }),
      };
    });
    return [
      'Max pooling: of every window the largest element stays (the first of equals), and where it stood is kept beside it:',
      'WHAT is there goes on, WHERE it was is written down as row · width + column of the input',
      '',
      sideBySide([
        { title: `input ${sizeOf(input)}`, cells: cells(input) },
        { title: `output ${sizeOf(output)}`, cells: cells(output) },
        { title: 'indices', cells: cells(indices) },
      ]),
      'the windows and their winners',
      sideBySide(panels),
    ].join('\n');
  },
};

export const maxUnpool: Topic = {
  summary: 'max unpooling: where each value returns (pools --input first, unless --indices are given)',
  options: ['input', 'indices', 'kernel-size', 'stride', 'padding', 'output-size'],
  text: (values) => {
    const op = 'explain max-unpool';
    const { outputSize, ...window } = optionsOf(op, values) as Record<string, unknown> & {
      kernelSize: number;
    };
    let input = matrixOption(op, values, 'input', POOL_INPUT);
    let indices: number[][];
    const lines: string[] = [];
    let size = outputSize as number | number[] | undefined;
    if (text(values, 'indices') !== undefined) {
      indices = matrixOption(op, values, 'indices', '');
      if (sizeOf(indices) !== sizeOf(input))
        mustBe(op, '--indices', `of the extents of --input, ${sizeOf(input)}`, sizeOf(indices));
    } else {
      const pooled = reference.maxPool2dWithIndicesSync(planeOf(input), window);
      lines.push(
        sideBySide([
          { title: `before pooling ${sizeOf(input)}`, cells: cells(input) },
          { title: 'after pooling', cells: cells(rowsOf(pooled.output)) },
          { title: 'indices', cells: cells(rowsOf(pooled.indices)) },
        ]),
      );
      size ??= [input.length, input[0]!.length];
      input = rowsOf(pooled.output);
      indices = rowsOf(pooled.indices);
    }
    const options: MaxUnpoolOptions = {
      ...window,
      ...(size === undefined ? {} : { outputSize: typeof size === 'number' ? [size, size] : size }),
    };
    const at = { data: Int32Array.from(indices.flat()), dims: planeOf(indices).dims };
    const output = rowsOf(reference.maxUnpool2dSync(planeOf(input), at, options));
    const width = output[0]!.length;
    const flat = indices.flat();
    const returns = input.flat().map((v, i) => {
      const index = flat[i]!;
      const later = flat.lastIndexOf(index) !== i;
      return `  ${show(v)} returns to ${place(index, width)}, index ${index}${later ? ', and is written over by a later one' : ''}`;
    });
    const back = new Set(flat);
    return [
      'Max unpooling: every value returns to the place it was taken from; all other places become 0',
      '',
      ...lines,
      ...returns,
      '',
      sideBySide([
        { title: `input ${sizeOf(input)}`, cells: cells(input) },
        {
          title: `output ${sizeOf(output)} (· is 0, nothing returned)`,
          cells: output.map((row, y) => row.map((v, x) => (back.has(y * width + x) ? show(v) : '·'))),
        },
      ]),
    ].join('\n');
  },
};

export const avgPool: Topic = {
  summary: 'average pooling: the windows and their means',
  options: ['input', 'kernel-size', 'stride', 'padding'],
  text: (values) => {
    const op = 'explain avg-pool';
    const input = matrixOption(op, values, 'input', POOL_INPUT);
    const options = optionsOf(op, values) as AvgPoolOptions;
    const output = rowsOf(reference.avgPool2dSync(planeOf(input), options));
    const { reads, columns } = readsOf(input, (x) => reference.avgPool2dSync(x, options));
    const panels = reads.map((window, o) => {
      const [y, x] = [Math.floor(o / columns), o % columns];
      return {
        title: `out[${y},${x}] = ${show(output[y]![x]!)}`,
        cells: windowCells(window, (r) => `${show(input[r.y]![r.x]!)}×${show(r.answer)}`),
      };
    });
    return [
      'Average pooling: of every window the mean stays, all elements weigh alike',
      '',
      sideBySide([
        { title: `input ${sizeOf(input)}`, cells: cells(input) },
        { title: `output ${sizeOf(output)}`, cells: cells(output) },
      ]),
      'the windows, input × weight',
      sideBySide(panels),
    ].join('\n');
  },
};
