/** Files as bytes: read whole, written whole or not at all. */
import { randomBytes } from 'node:crypto';
import { open, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { refuse } from '../errors.js';

/** Reads and writes of one system call stay below the 2 GiB that the kernel does at once. */
const CHUNK = 1 << 30;

/** The bytes of a file. */
export async function readFileBytes(op: string, path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const facts = await file.stat();
      if (facts.isDirectory()) refuse(op, path, `${path} is a folder, not a file`, 'ERR_UPSAMPLING_FILE');
      // Pipes and devices say 0: they are read to their end.
      if (!facts.isFile()) return await file.readFile();
      const bytes = new Uint8Array(facts.size);
      let done = 0;
      while (done < bytes.length) {
        const { bytesRead } = await file.read(bytes, done, Math.min(CHUNK, bytes.length - done), done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileFailure(op, path, 'read', error);
  }
}

/**
 * Writes the parts one after the other to `path`. A file appears under its name only when it is complete: it is written
 * beside it, flushed and renamed.
 */
export async function writeFileWhole(op: string, path: string, parts: readonly Uint8Array[]): Promise<void> {
  // A device or a pipe cannot be replaced by a rename, and has no half-written state to hide.
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isDirectory()) refuse(op, path, `${path} is a folder, not a file`, 'ERR_UPSAMPLING_FILE');
  const direct = facts !== undefined && !facts.isFile();
  const target = direct
    ? path
    : join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
  try {
    const file = await open(target, direct ? 'w' : 'wx', facts?.mode ?? 0o666);
    try {
      for (const part of parts)
        for (let at = 0; at < part.length; )
          at += (await file.write(part, at, Math.min(CHUNK, part.length - at))).bytesWritten;
      if (!direct) await file.sync();
    } finally {
      await file.close();
    }
    if (!direct) await rename(target, path);
  } catch (error) {
    if (!direct) await unlink(target).catch(() => undefined);
    throw fileFailure(op, path, 'written', error);
  }
}

function fileFailure(op: string, path: string, what: 'read' | 'written', error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  const words: Record<string, string> = {
    ENOENT: what === 'read' ? 'there is no such file' : 'its folder does not exist',
    EACCES: 'permission denied',
    ENOSPC: 'no space left on the device',
  };
  try {
    refuse(op, path, `${path} cannot be ${what}: ${words[code] ?? message}`, 'ERR_UPSAMPLING_FILE');
  } catch (refused) {
    return refused;
  }
}
