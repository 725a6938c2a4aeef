/** The definition: a mask pixel is set where the resized value is above the threshold and the box holds the pixel. */
import type { InterpolateThresholdPlan } from '../plan/interpolate-threshold.js';
import type { TypedArray } from '../tensor.js';
import { resizedPixels } from './resized.js';

export function interpolateThreshold(
  plan: InterpolateThresholdPlan,
  [input]: readonly TypedArray[],
  [output]: readonly TypedArray[],
): void {
  const { resized, source, boxes, threshold, bits } = plan;
  const values = resizedPixels(resized, input!);
  const masks = resized.channels * resized.inner;
  const [height, width] = resized.axes.map((a) => a.outSize) as [number, number];
  const rowBytes = bits ? Math.ceil(width / 8) : width;
  const out = output as Uint8Array;
  out.fill(0);
  for (const [p, plane] of source.entries()) {
    const [top, left, bottom, right] = boxes.subarray(4 * p, 4 * p + 4) as unknown as number[];
    for (let y = top!; y < bottom!; y++)
      for (let x = left!; x < right!; x++) {
        const image = Math.floor(plane / masks);
        if (!(values(image, y * width + x)[plane % masks]! > threshold)) continue;
        const row = (p * height + y) * rowBytes;
        if (bits) out[row + (x >> 3)]! |= 128 >> (x & 7);
        else out[row + x] = 1;
      }
  }
}
