import type { InterpolateArgmaxPlan } from '../plan/interpolate-argmax.js';
import { bytesOf } from '../tensor.js';
import { pack } from './pack.js';
import { resizedFields } from './resized.js';

/** Read by native/binding/interpolate-argmax.cc. */
export const packInterpolateArgmax = (p: InterpolateArgmaxPlan): Float64Array =>
  pack([
    resizedFields(p.resized),
    bytesOf(p.classType),
    ['none', 'logit', 'softmax'].indexOf(p.scores),
    p.margin,
    p.threshold !== undefined,
    p.threshold ?? 0,
    p.background,
  ]);
