/** The definition: the input is resized whole, then convolved, both in float64. */
import type { ConvPlan } from '../plan/conv2d.js';
import type { TypedArray } from '../tensor.js';
import { conv2d, image, positions } from './conv2d.js';
import { reader, writer } from './elements.js';
import { tapsOfPixel } from './interpolate.js';

export function resizeConv2d(
  plan: ConvPlan,
  inputs: readonly TypedArray[],
  [output]: readonly TypedArray[],
): void {
  const { batch, groups, inChannels, axes, type } = plan;
  const read = reader(type, inputs[0]!);
  const channels = groups * inChannels;
  const small = axes.map((a) => a.inSize);
  const large = axes.map((a) => a.resize!.outSize);
  const from = image(plan, small, channels);
  const to = image(plan, large, channels);
  const resized = new Float64Array(large.reduce((a, b) => a * b, batch * channels));
  const pixels = positions(small);
  const tables = axes.map((a) => a.resize!);
  for (const [p, at] of positions(large).entries()) {
    const taps = tapsOfPixel(tables, p).filter((t) => t.weight !== 0);
    for (let n = 0; n < batch; n++)
      for (let c = 0; c < channels; c++)
        resized[to(n, c, at)] = taps.reduce(
          (sum, t) => sum + t.weight * read(from(n, c, pixels[t.offset]!)),
          0,
        );
  }
  const wide = inputs.slice(1).map((a) => {
    const element = reader(type, a);
    return Float64Array.from({ length: a.length }, (_, i) => element(i));
  });
  const result = new Float64Array(output!.length);
  const whole = axes.map((a) => ({ ...a, inSize: a.resize!.outSize }));
  conv2d({ ...plan, type: 'float64', axes: whole }, [resized, ...wide], [result]);
  const write = writer(type, output!);
  for (const [i, v] of result.entries()) write(i, v);
}
