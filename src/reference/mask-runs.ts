/** The definition: how many pixels in a row are alike, down the columns, starting with zeros. */
import type { MaskRunsPlan } from '../plan/mask-runs.js';
import type { TypedArray } from '../tensor.js';

export function maskRuns(
  plan: MaskRunsPlan,
  [bits]: readonly TypedArray[],
  [output]: readonly TypedArray[],
): void {
  const { planes, height, width, offsets } = plan;
  const rowBytes = Math.ceil(width / 8);
  for (let p = 0; p < planes; p++) {
    const pixels = Array.from({ length: height * width }, (_, i) => {
      const [x, y] = [Math.floor(i / height), i % height];
      return ((bits![(p * height + y) * rowBytes + (x >> 3)] as number) >> (7 - (x & 7))) & 1;
    });
    const edges = pixels.flatMap((v, i) => (v !== (i === 0 ? 0 : pixels[i - 1]!) ? [i] : []));
    const runs = [...edges, pixels.length].map((end, i) => end - (i === 0 ? 0 : edges[i - 1]!));
    if (offsets === undefined) output![p] = runs.length;
    else for (const [i, n] of runs.entries()) output![offsets[p]! + i] = n;
  }
}
