/** `upsampling explain`: how a result comes about, element by element. */
import { unknownOption } from '../errors.js';
import { type Command, UsageError } from './command.js';
import { interpolate } from './explain/interpolate.js';
import type { Topic } from './explain/topic.js';

/** Everything that can be explained, by its name. */
const TOPICS: Readonly<Record<string, Topic>> = {
  interpolate,
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
      --input "0 1; 2 3"    the matrix: rows parted by semicolons
      --size HxW            output extent;  --scale S  output over input extent
      --mode MODE           nearest, nearest-exact, bilinear (default), bicubic, area
      --align-corners, --antialias
  -h, --help                this text

Examples:
  upsampling explain
  upsampling explain interpolate --input "0 1; 2 3" --size 3x3 --mode bilinear --align-corners
`,
  options: {
    input: { type: 'string' },
    size: { type: 'string' },
    scale: { type: 'string' },
    mode: { type: 'string' },
    'align-corners': { type: 'boolean' },
    antialias: { type: 'boolean' },
  },
  run: async (words, values) => {
    if (words.length > 1) throw new UsageError(`explain: one operator at a time, got ${words.join(' ')}`);
    const name = words[0]?.replace(/[123]d$/, '');
    const topic = name !== undefined && Object.hasOwn(TOPICS, name) ? TOPICS[name] : undefined;
    if (name === undefined) process.stdout.write(await TOPICS.interpolate!.text(values));
    else if (topic === undefined) unknownOption('explain', words[0]!, Object.keys(TOPICS), 'operator');
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
