/** Pixel shuffle: channels become the pixels of a block. */
import { mustBe } from '../../errors.js';
import * as reference from '../../reference.js';
import { integer } from '../command.js';
import { cells, rowsOf, sideBySide, sizeOf } from './panels.js';
import type { Topic } from './topic.js';
import { matrixOption } from './windows.js';

const OP = 'explain pixel-shuffle';

export const pixelShuffle: Topic = {
  summary: 'pixel shuffle: channels (one below the other in --input) become the pixels of a block',
  options: ['input', 'upscale'],
  text: (values) => {
    const input = matrixOption(OP, values, 'input', '1 2; 3 4; 11 12; 13 14; 21 22; 23 24; 31 32; 33 34');
    const r = integer(OP, values, 'upscale', 1, 4) ?? 2;
    const channels = r * r;
    const height = input.length / channels;
    if (!Number.isInteger(height))
      mustBe(OP, '--input', `a multiple of ${channels} rows, one block of them per channel`, input.length);
    const x = { data: Float32Array.from(input.flat()), dims: [1, channels, height, input[0]!.length] };
    const output = rowsOf(reference.pixelShuffleSync(x, { upscaleFactor: r }));
    const planes = Array.from({ length: channels }, (_, c) => input.slice(c * height, (c + 1) * height));
    return [
      `Pixel shuffle by ${r}: out[y, x] = in[channel (y mod ${r})·${r} + (x mod ${r})][⌊y/${r}⌋, ⌊x/${r}⌋]; nothing is computed, only moved`,
      '',
      sideBySide(planes.map((p, c) => ({ title: `channel ${c}`, cells: cells(p) }))),
      sideBySide([{ title: `output ${sizeOf(output)}`, cells: cells(output) }]),
    ].join('\n');
  },
};
