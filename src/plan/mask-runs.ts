/** Run lengths of packed masks, as COCO counts them: down the columns, starting with a run of zeros. */
import type { DataType } from '../tensor.js';

/**
 * Input: bits [planes, height, ceil(width / 8)], the first column in the highest bit. Without `offsets` the output is the
 * number of runs of each mask; with them it is the runs themselves, each mask's from its offset on, `total` in all.
 */
export interface MaskRunsPlan {
  readonly op: 'maskRuns';
  readonly type: DataType;
  readonly planes: number;
  readonly height: number;
  readonly width: number;
  readonly offsets: Float64Array | undefined;
  readonly total: number;
}

export function planMaskRuns(
  planes: number,
  height: number,
  width: number,
  counts?: Int32Array,
): MaskRunsPlan {
  const shape = { op: 'maskRuns', type: 'uint8', planes, height, width } as const;
  if (counts === undefined) return { ...shape, offsets: undefined, total: planes };
  const offsets = new Float64Array(planes);
  let total = 0;
  for (const [i, n] of counts.entries()) {
    offsets[i] = total;
    total += n;
  }
  return { ...shape, offsets, total };
}
