import type { MaxPool2dPlan } from '../plan/max-pool2d.js';
import { codeOf } from '../tensor.js';
import { pack } from './pack.js';
import { windowFields } from './window.js';

/** Read by native/binding/max-pool2d.cc. */
export const packMaxPool2d = (p: MaxPool2dPlan): Float64Array =>
  pack([
    codeOf(p.type),
    p.outer,
    p.inner,
    p.axes.length,
    p.axes.map(windowFields),
    p.indices === undefined ? 0 : p.indices.type === 'int32' ? 1 : 2,
    p.indices === undefined ? [] : [p.indices.planeStride, p.indices.strides],
  ]);
