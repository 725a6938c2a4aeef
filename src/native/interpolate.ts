import type { AxisTaps } from '../plan/axis.js';
import type { InterpolatePlan } from '../plan/interpolate.js';
import { codeOf } from '../tensor.js';
import { type Field, pack } from './pack.js';

/** Read by native/binding/axis.h. */
export const axisFields = (a: AxisTaps): Field => [a.inSize, a.outSize, a.taps, a.index, a.weight, a.count];

/** Read by native/binding/interpolate.cc. */
export const packInterpolate = (p: InterpolatePlan): Float64Array =>
  pack([
    codeOf(p.type),
    p.moves,
    p.outer,
    p.inner,
    p.axes.length,
    p.axes.map(axisFields),
    p.extrapolation !== undefined,
    p.extrapolation === undefined
      ? []
      : [p.extrapolation, p.axes.map((a) => a.outside ?? new Int32Array(a.outSize))],
  ]);
