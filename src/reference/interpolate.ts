/** The definition: every output element is the weighted sum of the pixels that the plan's tables name. */
import type { AxisTaps } from '../plan/axis.js';
import type { InterpolatePlan } from '../plan/interpolate.js';
import type { TypedArray } from '../tensor.js';
import { reader, toHalf, writer } from './elements.js';

export function interpolate(
  plan: InterpolatePlan,
  [input]: readonly TypedArray[],
  [output]: readonly TypedArray[],
): void {
  const { outer, axes, inner } = plan;
  const inPlane = axes.reduce((n, a) => n * a.inSize, inner);
  const outPixels = axes.reduce((n, a) => n * a.outSize, 1);
  const read = reader(plan.type, input!);
  const write = plan.moves ? undefined : writer(plan.type, output!);
  for (let p = 0; p < outer; p++) {
    for (let pixel = 0; pixel < outPixels; pixel++) {
      const taps = tapsOfPixel(axes, pixel);
      for (let c = 0; c < inner; c++) {
        const o = (p * outPixels + pixel) * inner + c;
        if (write === undefined) output![o] = input![p * inPlane + taps[0]!.offset * inner + c]!;
        else
          write(
            o,
            taps.reduce((sum, tap) => sum + tap.weight * read(p * inPlane + tap.offset * inner + c), 0),
          );
      }
    }
  }
  if (plan.extrapolation === undefined) return;
  const element = plan.type === 'float16' ? toHalf(Math.fround(plan.extrapolation)) : plan.extrapolation;
  const value = typeof output![0] === 'bigint' ? BigInt(element) : element;
  for (let i = 0; i < outer * outPixels * inner; i++)
    if (isOutside(axes, Math.floor(i / inner) % outPixels)) output![i] = value;
}

/** True where an axis says that its coordinate lies beyond it. */
function isOutside(axes: readonly AxisTaps[], pixel: number): boolean {
  let rest = pixel;
  return [...axes].reverse().some((axis) => {
    const o = rest % axis.outSize;
    rest = Math.floor(rest / axis.outSize);
    return axis.outside?.[o] === 1;
  });
}

/** The input pixels that output pixel number `pixel` reads: the product of its taps along every axis. */
export function tapsOfPixel(axes: readonly AxisTaps[], pixel: number): { offset: number; weight: number }[] {
  let taps = [{ offset: 0, weight: 1 }];
  let below = axes.reduce((n, a) => n * a.outSize, 1);
  for (const axis of axes) {
    below /= axis.outSize;
    const o = Math.floor(pixel / below) % axis.outSize;
    taps = taps.flatMap((t) =>
      Array.from({ length: axis.count[o]! }, (_, k) => ({
        offset: t.offset * axis.inSize + axis.index[k * axis.outSize + o]!,
        weight: t.weight * axis.weight[k * axis.outSize + o]!,
      })),
    );
  }
  return taps;
}
