/** Geometry of transposed convolutions: phases instead of a scatter. See Note [Passes] in conv2d.ts. */
import {
  type AxisPass,
  type ConvAxis,
  type ConvPlan,
  type ConvSpec,
  finishPlan,
  plainPass,
} from './conv2d.js';
import { axisPhases, windowInSize } from './window.js';

/** out[i·stride + k·dilation − padding] += w[k] · in[i] */
export function planConvTranspose2d(spec: ConvSpec): ConvPlan {
  const axes = spec.axes.map((a): ConvAxis => {
    const outSize = a.outSize ?? windowInSize(a.inSize, a);
    const { inSize, kernel, stride, dilation, padBegin: padding } = a;
    const passes = sharedPasses({ kernel, stride, dilation, padding }, Math.ceil(outSize / stride));
    return { inSize, outSize, kernel, stride, dilation, padding, inStep: 1, outStep: stride, passes };
  });
  return finishPlan('convTranspose2d', spec, axes, true);
}

/** Phases that read the input at the same offsets, together. */
function sharedPasses(axis: Parameters<typeof axisPhases>[0], steps: number): AxisPass[] {
  const groups = new Map<string, ReturnType<typeof axisPhases>>();
  for (const phase of axisPhases(axis)) {
    const key = phase.taps.map((t) => t.offset).join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [phase]);
    else group.push(phase);
  }
  return [...groups.values()].map((group) =>
    plainPass(
      0,
      steps,
      group[0]!.taps.map((t) => t.offset),
      group.map((p) => p.phase),
      group.flatMap((p) => p.taps.map((t) => t.kernel)),
    ),
  );
}
