/** Inputs and outputs of commands: files, or the standard streams for '-'. */
import { readFileBytes, writeFileWhole } from '../files/whole.js';

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
