/** The definition: large[n, c, y·bh + i, x·bw + j] = small[n, channel(c, i, j), y, x]. */
import type { BlockPlan } from '../plan/pixel-shuffle.js';
import type { TypedArray } from '../tensor.js';

export function pixelShuffle(
  plan: BlockPlan,
  [small]: readonly TypedArray[],
  [large]: readonly TypedArray[],
): void {
  for (const { at, from } of positions(plan)) large![at] = small![from]!;
}

/** Every element of the large image (`at`) with the element of the small image that it is (`from`). */
export function* positions(plan: BlockPlan): Generator<{ at: number; from: number }> {
  const { channels: C, height: H, width: W } = plan;
  const [bh, bw] = plan.block;
  const nchw = plan.layout === 'nchw';
  const index = (n: number, c: number, y: number, x: number, [cs, hs, ws]: number[]) =>
    nchw ? ((n * cs! + c) * hs! + y) * ws! + x : ((n * hs! + y) * ws! + x) * cs! + c;
  for (let n = 0; n < plan.batch; n++)
    for (let c = 0; c < C; c++)
      for (let y = 0; y < H * bh; y++)
        for (let x = 0; x < W * bw; x++) {
          const i = y % bh;
          const j = x % bw;
          const channel = plan.order === 'crd' ? (c * bh + i) * bw + j : (i * bw + j) * C + c;
          yield {
            at: index(n, c, y, x, [C, H * bh, W * bw]),
            from: index(n, channel, (y - i) / bh, (x - j) / bw, [C * bh * bw, H, W]),
          };
        }
}
