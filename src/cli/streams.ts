/** Inputs and outputs of commands: files, or the standard streams for '-'. */
import { readFileBytes, writeFileWhole } from '../files/whole.js';
import { StreamError, stream } from '../index.js';

/** How an input is named in messages. */
export const nameOf = (path: string): string => (path === '-' ? 'standard input' : path);

/** The bytes of a file, or of standard input for '-'. */
export async function readInput(op: string, path: string): Promise<Uint8Array> {
  if (path !== '-') return readFileBytes(op, path);
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Writes the parts one after the other to a file, which appears whole or not at all, or to standard output for '-'. */
export async function writeOutput(op: string, path: string, parts: readonly Uint8Array[]): Promise<void> {
  if (path !== '-') return writeFileWhole(op, path, parts);
  for (const part of parts)
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(part, (error) => (error ? reject(error) : resolve()));
    });
}

/** Files in work at once: while one is computed, others are read, encoded and written. */
const AT_ONCE = 4;

/** Does the work of every input, a few at once, and tells how far it is; the results in the order of the inputs. */
export async function forEachInput<R>(
  inputs: readonly string[],
  work: (input: string, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  try {
    progress(0, inputs.length, '');
    for await (const { name, result } of stream(
      inputs.entries(),
      async ([i, input]) => ({ name: nameOf(input), result: await work(input, i) }),
      { concurrency: AT_ONCE },
    )) {
      results.push(result);
      progress(results.length, inputs.length, name);
    }
  } catch (error) {
    throw error instanceof StreamError ? error.cause : error;
  }
  return results;
}

/** A line that tells how far the work is, on a terminal only. */
function progress(done: number, all: number, what: string): void {
  if (!process.stderr.isTTY || all < 2) return;
  process.stderr.write(`\r\x1b[K${done}/${all} ${what}${done === all ? '\n' : ''}`);
}
