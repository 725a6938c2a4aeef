import { planMaskRuns } from '../../src/plan/mask-runs.js';
import { maskRuns } from '../../src/reference/mask-runs.js';
import { describeRunCounts, describeRuns } from '../../src/torch/mask-runs.js';
import { type Args, defineOp, product } from '../support/operator.js';
import type { Random } from '../support/random.js';

/** Packed masks from a seed; `runs` asks for the runs themselves, whose number the reference counts. */
const args = (dims: readonly number[], width: number, runs: boolean, seed = 1): Args => ({
  tensors: [{ type: 'uint8', dims, seed, fill: seed % 2 === 0 ? 'ties' : 'uniform' }],
  options: { width, runs },
});

export default defineOp({
  name: 'maskRuns',
  kernel: 'maskRuns',
  describe: ([bits], { width, runs }) => {
    const w = width as number;
    if (runs !== true) return describeRunCounts(bits!, w, undefined);
    const counts = new Int32Array(bits!.dims[0]! * bits!.dims[1]!);
    maskRuns(planMaskRuns(counts.length, bits!.dims[2]!, w), [bits!.data], [counts]);
    return describeRuns(bits!, w, { type: 'int32', data: counts, dims: [counts.length] }, undefined);
  },
  family: () => 'exact',
  samples: () =>
    product({
      width: [1, 7, 8, 9, 40],
      height: [1, 2, 13],
      runs: [true, false],
      seed: [1, 2],
    }).map(({ width, height, runs, seed }) => args([2, 3, height, Math.ceil(width / 8)], width, runs, seed)),
  random: (r: Random) => {
    const width = r.int(1, 70);
    return args([1, r.int(1, 4), r.int(1, 30), Math.ceil(width / 8)], width, r.chance(0.5), r.int(1, 1e9));
  },
  draws: 60,
  errors: [],
});
