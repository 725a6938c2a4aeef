/** The definition of a convolution: every output element sums its window. */
import type { ConvAxis, ConvPlan } from '../plan/conv2d.js';
import type { TypedArray } from '../tensor.js';
import { reader, writer } from './elements.js';

export function conv2d(plan: ConvPlan, inputs: readonly TypedArray[], [output]: readonly TypedArray[]): void {
  const { batch, groups, inChannels, outChannels, axes, type } = plan;
  const [x, w] = [reader(type, inputs[0]!), reader(type, inputs[1]!)];
  const bias = plan.bias ? reader(type, inputs[2]!) : () => 0;
  const write = writer(type, output!);
  const from = image(
    plan,
    axes.map((a) => a.inSize),
    groups * inChannels,
  );
  const to = image(
    plan,
    axes.map((a) => a.outSize),
    groups * outChannels,
  );
  const kernels = positions(axes.map((a) => a.kernel));
  for (let n = 0; n < batch; n++)
    for (let o = 0; o < groups * outChannels; o++) {
      const group = Math.floor(o / outChannels);
      for (const at of positions(axes.map((a) => a.outSize))) {
        let sum = bias(o);
        for (const [k, tap] of kernels.entries()) {
          const source = axes.map((a, i) => at[i]! * a.stride + tap[i]! * a.dilation - a.padding);
          if (!inside(source, axes)) continue;
          for (let c = 0; c < inChannels; c++)
            sum += w((o * inChannels + c) * kernels.length + k) * x(from(n, group * inChannels + c, source));
        }
        write(to(n, o, at), sum);
      }
    }
}

const inside = (at: readonly number[], axes: readonly ConvAxis[]) =>
  axes.every((a, i) => at[i]! >= 0 && at[i]! < a.inSize);

/** Every position of a box, the last axis fastest. */
export function positions(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (list, size) => list.flatMap((p) => Array.from({ length: size }, (_, i) => [...p, i])),
    [[]],
  );
}

/** Where (n, channel, position) lies in a tensor of the plan's layout. */
export function image(plan: ConvPlan, sizes: readonly number[], channels: number) {
  const flat = (at: readonly number[]) => at.reduce((sum, v, i) => sum * sizes[i]! + v, 0);
  const pixels = sizes.reduce((a, b) => a * b, 1);
  return plan.layout === 'nchw'
    ? (n: number, c: number, at: readonly number[]) => (n * channels + c) * pixels + flat(at)
    : (n: number, c: number, at: readonly number[]) => (n * pixels + flat(at)) * channels + c;
}
