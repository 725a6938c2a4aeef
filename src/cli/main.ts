#!/usr/bin/env node
/** argv → command → exit code. */
import { unknownOption } from '../errors.js';
import { runtime } from '../runtime.js';
import { analyze } from './analyze.js';
import { type Command, exitCode, parse, UsageError } from './command.js';
import { doctor } from './doctor.js';
import { explain } from './explain.js';
import { mask } from './mask.js';
import { quantize } from './quantize.js';
import { resize } from './resize.js';
import { segment } from './segment.js';

/** Every command by its name. */
const COMMANDS: Readonly<Record<string, Command>> = {
  resize,
  segment,
  mask,
  quantize,
  analyze,
  explain,
  doctor,
};

function overview(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((n) => n.length));
  const lines = Object.entries(COMMANDS).map(([name, c]) => `  ${name.padEnd(width)}  ${c.summary}`);
  return `Usage: upsampling COMMAND [OPTION…]

Commands:
${lines.join('\n')}

Options:
  -h, --help     this text; after a command, its own
      --version  the version of the package

Examples:
  upsampling explain
  upsampling resize photo.png --scale 2 --mode bicubic -o large.png
  upsampling doctor
`;
}

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) throw new UsageError('a command is missing, see upsampling --help');
  if (name === '--help' || name === '-h' || name === 'help') {
    const topic = rest[0] === undefined ? undefined : COMMANDS[rest[0]];
    process.stdout.write(topic?.help ?? overview());
    return 0;
  }
  if (name === '--version') {
    process.stdout.write(`${runtime.version}\n`);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) unknownOption('upsampling', name, Object.keys(COMMANDS), 'command');
  const { words, values } = parse(name, command, rest);
  if (values.help === true) {
    process.stdout.write(command.help);
    return 0;
  }
  return (await command.run(words, values)) ?? 0;
}

// A reader that has seen enough (| head) is not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const line = message.replace(/\s*\n\s*/g, ' ');
  process.stderr.write(`${line.startsWith('upsampling: ') ? '' : 'upsampling: '}${line}\n`);
  process.exitCode = exitCode(error);
}
