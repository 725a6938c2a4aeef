/** The definition: the sum of what is under the window, divided once. */
import type { AvgPool2dPlan } from '../plan/avg-pool2d.js';
import type { TypedArray } from '../tensor.js';
import { reader, writer } from './elements.js';
import { flatten, unflatten, windowOf } from './window.js';

export function avgPool2d(
  plan: AvgPool2dPlan,
  [input]: readonly TypedArray[],
  [output]: readonly TypedArray[],
): void {
  const { outer, axes, inner, cells } = plan;
  const inSizes = axes.map((a) => a.inSize);
  const outSizes = axes.map((a) => a.outSize);
  const inPixels = inSizes.reduce((a, b) => a * b, 1);
  const outPixels = outSizes.reduce((a, b) => a * b, 1);
  const read = reader(plan.type, input!);
  const write = writer(plan.type, output!);
  for (let p = 0; p < outer; p++)
    for (let pixel = 0; pixel < outPixels; pixel++) {
      const o = unflatten(pixel, outSizes);
      const divisor = plan.divisor ?? cells.reduce((n, table, i) => n * table[o[i]!]!, 1);
      const window = [...windowOf(axes, o)].map((at) => flatten(at, inSizes));
      for (let c = 0; c < inner; c++) {
        let sum = 0;
        for (const at of window) sum += read((p * inPixels + at) * inner + c);
        write((p * outPixels + pixel) * inner + c, window.length === 0 ? 0 : sum / divisor);
      }
    }
}
