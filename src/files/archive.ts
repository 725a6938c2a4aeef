/** What files of many tensors have in common: names, and each tensor read when it is asked for. */
import type { DataType, Tensor } from '../tensor.js';

/** One named tensor of a file. */
export interface ArchiveEntry {
  readonly name: string;
  /** The element type as the file words it: "F32", "BF16"; "npy" where only the entry's own header says. */
  readonly stored: string;
  /** The type it is read as; undefined where that is only known by reading, or where no tensor can have it. */
  readonly type: DataType | undefined;
  /** Extents, where they are known without reading. */
  readonly dims: readonly number[] | undefined;
  /** The tensor; in place where the file's bytes allow. Throws ERR_UPSAMPLING_FILE. */
  readonly read: () => Tensor;
}

/** A file of named tensors, in the order of its bytes. */
export interface Archive {
  readonly format: 'safetensors' | 'npz';
  readonly entries: readonly ArchiveEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}
