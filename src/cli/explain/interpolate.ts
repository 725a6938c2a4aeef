/** Interpolation: every output row and column as a weighted sum of input rows and columns. */
import type { InterpolateOptions } from '../../index.js';
import * as reference from '../../reference.js';
import { extents, factors, matrix, text, type Values } from '../command.js';
import { cells, planeOf, rowsOf, show, sideBySide, sizeOf } from './panels.js';
import type { Topic } from './topic.js';

const OP = 'explain interpolate';

export const interpolate: Topic = {
  summary: 'nearest, bilinear, bicubic, area: which input pixels weigh how much',
  options: ['input', 'size', 'scale', 'mode', 'align-corners', 'antialias'],
  text: (values) => {
    const input = matrix(OP, 'input', text(values, 'input') ?? '0 1; 2 3');
    const options = interpolateOptions(values, input);
    const output = rowsOf(reference.interpolateSync(planeOf(input), options));
    const mode = options.mode!;
    const rows = tapsAlong(0, input.length, output.length, options);
    const columns = tapsAlong(1, input[0]!.length, output[0]!.length, options);
    return [
      `Interpolation, ${mode}${options.alignCorners === true ? ', align corners' : ''}${options.antialias === true ? ', antialias' : ''}: every output pixel is a weighted sum of input pixels,`,
      'first along the rows, then along the columns: out[y, x] = Σ wy · wx · in[iy, ix]',
      '',
      `output rows of an input of ${input.length} rows`,
      ...rows.map((r, o) => `  out row ${o} = ${r}`),
      '',
      `output columns of an input of ${input[0]!.length} columns`,
      ...columns.map((r, o) => `  out column ${o} = ${r}`),
      '',
      sideBySide([
        { title: `input ${sizeOf(input)}`, cells: cells(input) },
        { title: `output ${sizeOf(output)}`, cells: cells(output) },
      ]),
    ].join('\n');
  },
};

function interpolateOptions(values: Values, input: readonly (readonly number[])[]): InterpolateOptions {
  const scaleFactor = factors(OP, values, 'scale');
  const size =
    extents(OP, values, 'size') ??
    (scaleFactor === undefined ? [2 * input.length, 2 * input[0]!.length] : undefined);
  return {
    size,
    scaleFactor,
    mode: (text(values, 'mode') as InterpolateOptions['mode']) ?? 'bilinear',
    alignCorners: values['align-corners'] === true,
    antialias: values.antialias === true,
  };
}

/** The taps of every output position along one axis: the answers to an input of one pixel set to 1. */
function tapsAlong(axis: 0 | 1, inSize: number, outSize: number, options: InterpolateOptions): string[] {
  const along = <T>(mine: T, other: T): [T, T] => (axis === 0 ? [mine, other] : [other, mine]);
  const { scaleFactor } = options;
  const factor = typeof scaleFactor === 'number' ? scaleFactor : scaleFactor?.[axis];
  const o: InterpolateOptions = {
    ...options,
    ...(factor === undefined ? { size: along(outSize, 1) } : { scaleFactor: along(factor, 1) }),
  };
  const answers = Array.from({ length: inSize }, (_, i) => {
    const impulse = new Float32Array(inSize);
    impulse[i] = 1;
    const y = reference.interpolateSync({ data: impulse, dims: [1, 1, ...along(inSize, 1)] }, o);
    return Array.from(y.data as Float32Array);
  });
  return Array.from({ length: outSize }, (_, at) => {
    const taps = answers.flatMap((a, i) => (a[at] === 0 ? [] : [`${show(a[at]!)}·in ${i}`]));
    return taps.join(' + ').replaceAll('+ -', '- ');
  });
}
