/** Run lengths of packed masks in COCO's format. */
import { type AsyncOptions, type Call, firstOf } from '../execute.js';
import { planMaskRuns } from '../plan/mask-runs.js';
import type { Tensor } from '../tensor.js';

/** A mask by its run lengths, as pycocotools has it. */
export interface MaskRle {
  /** [height, width] */
  readonly size: readonly [number, number];
  /** Runs down the columns, the first one of zeros: numbers, or COCO's compressed string. */
  readonly counts: readonly number[] | string;
}

const shapeOf = (bits: Tensor, width: number) =>
  [bits.dims[0]! * bits.dims[1]!, bits.dims[2]!, width] as const;

/** How many runs each mask has. `bits` is (N, K, height, bytes of a row). */
export function describeRunCounts(
  bits: Tensor,
  width: number,
  options: AsyncOptions | undefined,
): Call<Tensor, 'maskRuns'> {
  const plan = planMaskRuns(...shapeOf(bits, width));
  return {
    op: 'interpolateThreshold',
    kernel: 'maskRuns',
    plan,
    inputs: [bits.data],
    outputs: [{ param: 'out', type: 'int32', dims: [plan.planes], out: undefined }],
    options,
    finish: firstOf,
  };
}

/** The runs of all masks, one after the other. */
export function describeRuns(
  bits: Tensor,
  width: number,
  counts: Tensor,
  options: AsyncOptions | undefined,
): Call<Tensor, 'maskRuns'> {
  const plan = planMaskRuns(...shapeOf(bits, width), counts.data as Int32Array);
  return {
    op: 'interpolateThreshold',
    kernel: 'maskRuns',
    plan,
    inputs: [bits.data],
    outputs: [{ param: 'out', type: 'uint32', dims: [plan.total], out: undefined }],
    options,
    finish: firstOf,
  };
}

/** A list per image of what pycocotools calls RLE. */
export function rleOf(
  dims: readonly number[],
  width: number,
  counts: Tensor,
  runs: Tensor,
  compressed: boolean,
): MaskRle[][] {
  let at = 0;
  const next = (mask: number): MaskRle => {
    const n = (counts.data as Int32Array)[mask]!;
    const list = Array.from((runs.data as Uint32Array).subarray(at, at + n));
    at += n;
    return { size: [dims[2]!, width], counts: compressed ? compressRuns(list) : list };
  };
  return Array.from({ length: dims[0]! }, (_, i) =>
    Array.from({ length: dims[1]! }, (_, k) => next(i * dims[1]! + k)),
  );
}

/**
 * COCO's string: from the third run on the difference to the run before the last, in groups of five bits, lowest first, bit
 * 5 saying that more follow, each as the character 48 + group (rleToString of pycocotools 2.0).
 */
export function compressRuns(runs: readonly number[]): string {
  let text = '';
  for (const [i, run] of runs.entries()) {
    let x = i > 2 ? run - runs[i - 2]! : run;
    for (let more = true; more; ) {
      let group = x & 31;
      x >>= 5;
      more = (group & 16) !== 0 ? x !== -1 : x !== 0;
      if (more) group |= 32;
      text += String.fromCharCode(group + 48);
    }
  }
  return text;
}
