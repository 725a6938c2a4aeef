/** The definition of a transposed convolution: every input element is scattered, times the kernel. */
import type { ConvPlan } from '../plan/conv2d.js';
import type { TypedArray } from '../tensor.js';
import { image, positions } from './conv2d.js';
import { reader, writer } from './elements.js';

export function convTranspose2d(
  plan: ConvPlan,
  inputs: readonly TypedArray[],
  [output]: readonly TypedArray[],
): void {
  const { batch, groups, inChannels, outChannels, axes, type } = plan;
  const [x, w] = [reader(type, inputs[0]!), reader(type, inputs[1]!)];
  const write = writer(type, output!);
  const inSizes = axes.map((a) => a.inSize);
  const outSizes = axes.map((a) => a.outSize);
  const from = image(plan, inSizes, groups * inChannels);
  const to = image(plan, outSizes, groups * outChannels);
  const sums = new Float64Array(outSizes.reduce((a, b) => a * b, batch * groups * outChannels));
  if (plan.bias) {
    const bias = reader(type, inputs[2]!);
    for (let n = 0; n < batch; n++)
      for (let o = 0; o < groups * outChannels; o++)
        for (const at of positions(outSizes)) sums[to(n, o, at)] = bias(o);
  }
  const kernels = positions(axes.map((a) => a.kernel));
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < groups * inChannels; c++)
      for (const at of positions(inSizes)) {
        const value = x(from(n, c, at));
        for (const [k, tap] of kernels.entries()) {
          const target = axes.map((a, i) => at[i]! * a.stride + tap[i]! * a.dilation - a.padding);
          if (target.some((t, i) => t < 0 || t >= outSizes[i]!)) continue;
          for (let o = 0; o < outChannels; o++)
            sums[to(n, Math.floor(c / inChannels) * outChannels + o, target)]! +=
              w((c * outChannels + o) * kernels.length + k) * value;
        }
      }
  for (const [i, v] of sums.entries()) write(i, v);
}
