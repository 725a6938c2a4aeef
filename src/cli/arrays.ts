/** Arrays as commands take them: .npy, or one tensor of a .npz or .safetensors file. */
import { refuse } from '../errors.js';
import type { Archive } from '../files/archive.js';
import { isNpy, readNpy } from '../files/npy.js';
import { isZip, readNpz } from '../files/npz.js';
import { isSafetensors, readSafetensors } from '../files/safetensors.js';
import type { Tensor } from '../index.js';

/** True when the bytes are of a kind that `readArray` reads. */
export const isArray = (bytes: Uint8Array): boolean => isNpy(bytes) || isZip(bytes) || isSafetensors(bytes);

/** The array of a file; `wanted` names it where the file holds several. */
export function readArray(op: string, bytes: Uint8Array, name: string, wanted: string | undefined): Tensor {
  if (isZip(bytes)) return pick(op, readNpz(bytes, name), name, wanted);
  if (isSafetensors(bytes)) return pick(op, readSafetensors(bytes, name), name, wanted);
  return readNpy(bytes, name);
}

function pick(op: string, { entries }: Archive, name: string, wanted: string | undefined): Tensor {
  const entry = wanted === undefined ? entries[0] : entries.find((e) => e.name === wanted);
  if (entry !== undefined && (wanted !== undefined || entries.length === 1)) return entry.read();
  const names = entries
    .slice(0, 8)
    .map((e) => e.name)
    .join(', ');
  const list = `${names}${entries.length > 8 ? `, … ${entries.length - 8} more` : ''}`;
  refuse(
    op,
    '--tensor',
    wanted === undefined
      ? `${name} holds ${entries.length} tensors, choose one with --tensor: ${list}`
      : `${name} holds no tensor ${JSON.stringify(wanted)}, only: ${list}`,
    wanted === undefined ? 'ERR_UPSAMPLING_OPTION' : 'ERR_UPSAMPLING_FILE',
  );
}
