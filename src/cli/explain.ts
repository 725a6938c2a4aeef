/** `upsampling explain`: how a result comes about, element by element. */
import { unknownOption } from '../errors.js';
import { type Command, UsageError } from './command.js';
import { checkerboard } from './explain/checkerboard.js';
import { conv, convTranspose } from './explain/conv.js';
import { interpolate } from './explain/interpolate.js';
import { pixelShuffle } from './explain/pixel-shuffle.js';
import { avgPool, maxPool, maxUnpool } from './explain/pool.js';
import { textbook } from './explain/textbook.js';
import type { Topic } from './explain/topic.js';

/** Everything that can be explained, by its name. */
const TOPICS: Readonly<Record<string, Topic>> = {
  'conv-transpose': convTranspose,
  conv,
  'max-pool': maxPool,
  'max-unpool': maxUnpool,
  'avg-pool': avgPool,
  checkerboard,
  interpolate,
  'pixel-shuffle': pixelShuffle,
};

const width = Math.max(...Object.keys(TOPICS).map((n) => n.length));

export const explain: Command = {
  summary: 'how a result comes about, element by element',
  help: `Usage: upsampling explain [OPERATOR] [OPTION…]

Works an operator out on a small matrix. Without an operator: the textbook examples.

Operators:
${Object.entries(TOPICS)
  .map(
    ([name, t]) =>
      `  ${name.padEnd(width)}  ${t.summary}\n  ${' '.repeat(width)}  (${t.options.map((o) => `--${o}`).join(' ')})`,
  )
  .join('\n')}

Options:
      --input "0 1; 2 3"     the matrix: rows parted by semicolons
      --kernel "0 1; 2 3"    the kernel of a convolution
      --kernel-size K        of a pooling window: 2 or 2x3
      --stride S, --padding P, --dilation D, --output-padding P
                             one number, or one per axis: 2x1; the padding of conv may be same or valid
      --indices "5 2; 12 15" for max-unpool, positions as row · width + column; --input is then the pooled map
      --size HxW             output extent, for max-unpool --output-size HxW
      --scale S              output over input extent
      --mode MODE            nearest, nearest-exact, bilinear (default), bicubic, area
      --align-corners, --antialias
      --upscale R            of pixel-shuffle
  -h, --help                 this text

Examples:
  upsampling explain
  upsampling explain conv-transpose --input "0 1; 2 3" --kernel "1 1 1; 1 1 1; 1 1 1" --stride 2
  upsampling explain max-unpool --input "6 8; 7 9" --indices "2 7; 12 15" --output-size 4x4
  upsampling explain interpolate --input "0 1; 2 3" --size 3x3 --mode bilinear --align-corners
`,
  options: {
    input: { type: 'string' },
    size: { type: 'string' },
    scale: { type: 'string' },
    mode: { type: 'string' },
    'align-corners': { type: 'boolean' },
    antialias: { type: 'boolean' },
    kernel: { type: 'string' },
    'kernel-size': { type: 'string' },
    stride: { type: 'string' },
    padding: { type: 'string' },
    dilation: { type: 'string' },
    'output-padding': { type: 'string' },
    'output-size': { type: 'string' },
    indices: { type: 'string' },
    upscale: { type: 'string' },
  },
  run: async (words, values) => {
    if (words.length > 1) throw new UsageError(`explain: one operator at a time, got ${words.join(' ')}`);
    const name = words[0]?.replace(/[123]d$/, '');
    const topic = name !== undefined && Object.hasOwn(TOPICS, name) ? TOPICS[name] : undefined;
    if (name === undefined) {
      if (Object.keys(values).length > 0)
        throw new UsageError('explain: options need an operator, see upsampling explain --help');
      process.stdout.write(await textbook());
    } else if (topic === undefined) unknownOption('explain', words[0]!, Object.keys(TOPICS), 'operator');
    else {
      for (const option of Object.keys(values))
        if (!topic.options.includes(option))
          throw new UsageError(
            `explain: --${option} is not for ${name}, which takes ${topic.options.map((o) => `--${o}`).join(', ')}`,
          );
      process.stdout.write(await topic.text(values));
    }
    return 0;
  },
};
