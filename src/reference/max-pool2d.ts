/** The definition: the winner of a window is found by asking each element of it in row-major order. */
import type { MaxPool2dPlan } from '../plan/max-pool2d.js';
import type { DataType, TypedArray } from '../tensor.js';
import { fromHalf } from './elements.js';
import { flatten, unflatten, windowOf } from './window.js';

export function maxPool2d(
  plan: MaxPool2dPlan,
  [input]: readonly TypedArray[],
  [output, indices]: readonly TypedArray[],
): void {
  const { outer, axes, inner } = plan;
  const inSizes = axes.map((a) => a.inSize);
  const outSizes = axes.map((a) => a.outSize);
  const inPixels = inSizes.reduce((a, b) => a * b, 1);
  const outPixels = outSizes.reduce((a, b) => a * b, 1);
  const better = order(plan.type);
  for (let p = 0; p < outer; p++)
    for (let pixel = 0; pixel < outPixels; pixel++) {
      const o = unflatten(pixel, outSizes);
      for (let c = 0; c < inner; c++) {
        // As PyTorch: a window without elements gives the lowest value, and the position where it would begin.
        let best = lowest(plan.type);
        let where = axes.map((a, i) => a.first[o[i]!]!);
        let found = false;
        for (const at of windowOf(axes, o)) {
          const v = input![(p * inPixels + flatten(at, inSizes)) * inner + c]!;
          if (found && !better(v, best)) continue;
          best = v;
          where = at;
          found = true;
        }
        const to = (p * outPixels + pixel) * inner + c;
        output![to] = best;
        if (plan.indices === undefined) continue;
        const { strides, planeStride, type } = plan.indices;
        const number = where.reduce((sum, at, i) => sum + at * strides[i]!, p * planeStride);
        indices![to] = (type === 'int64' ? BigInt(number) : number) as never;
      }
    }
}

type Element = number | bigint;

/** True when `v` takes the place of `best`: greater, or NaN (so the last NaN stands). */
export function order(type: DataType): (v: Element, best: Element) => boolean {
  if (type !== 'float16') return (v, best) => v > best || (v as number) !== v;
  return (v, best) => {
    const [a, b] = [fromHalf(v as number), fromHalf(best as number)];
    return a > b || Number.isNaN(a);
  };
}

function lowest(type: DataType): Element {
  switch (type) {
    case 'float32':
    case 'float64':
      return -Infinity;
    case 'float16':
      return 0xfc00;
    case 'int8':
      return -128;
    case 'int16':
      return -32768;
    case 'int32':
      return -(2 ** 31);
    case 'int64':
      return -(2n ** 63n);
    case 'uint64':
      return 0n;
    default:
      return 0;
  }
}
