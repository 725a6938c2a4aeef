/** The textbook examples, from the same topics. */
import * as reference from '../../reference.js';
import { matrix } from '../command.js';
import { conv, convTranspose, EDGES, PICTURE } from './conv.js';
import { interpolate } from './interpolate.js';
import { cells, planeOf, rowsOf, sideBySide } from './panels.js';
import { maxUnpool } from './pool.js';

export async function textbook(): Promise<string> {
  const input = matrix('explain', 'input', PICTURE);
  const kernel = planeOf(matrix('explain', 'kernel', EDGES));
  const edges = reference.conv2dSync(planeOf(input), kernel, {});
  const back = rowsOf(reference.convTranspose2dSync(edges, kernel, {}));
  const differ = back.flat().filter((v, i) => v !== input.flat()[i]).length;
  const word = (rows: readonly (readonly number[])[]) => rows.map((r) => r.join(' ')).join('; ');
  return [
    '1 · Convolution: WHAT is in the picture (here: edges)\n',
    await conv.text({}),
    '2 · That map, transposed-convolved with the same filter\n',
    await convTranspose.text({ input: word(rowsOf(edges)), kernel: EDGES }),
    sideBySide([
      { title: 'the picture before', cells: cells(input) },
      { title: 'after both', cells: cells(back) },
    ]),
    differ === 0
      ? 'Here it is the input again.\n'
      : `It is ${back.length}×${back[0]!.length} again, which is NOT the input: ${differ} of ${input.flat().length} values differ. A transposed convolution brings the shape and\n` +
        'the connectivity back, not the values; it is the transpose of the convolution, not its inverse.\n',
    '3 · The smallest transposed convolution\n',
    await convTranspose.text({}),
    '4 · Max pooling remembers WHERE; unpooling puts the values back there\n',
    await maxUnpool.text({}),
    '5 · Interpolation needs no memory and no weights to be learnt\n',
    await interpolate.text({}),
  ].join('\n');
}
