import type { AvgPool2dPlan } from '../plan/avg-pool2d.js';
import { codeOf } from '../tensor.js';
import { pack } from './pack.js';
import { windowFields } from './window.js';

/** Read by native/binding/avg-pool2d.cc. */
export const packAvgPool2d = (p: AvgPool2dPlan): Float64Array =>
  pack([
    codeOf(p.type),
    p.outer,
    p.inner,
    p.axes.length,
    p.axes.map((a, i) => [windowFields(a), p.cells[i]!]),
    p.divisor ?? 0,
  ]);
