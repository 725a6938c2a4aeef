import type { InterpolateSoftmaxPlan } from '../plan/interpolate-softmax.js';
import { pack } from './pack.js';
import { resizedFields } from './resized.js';

/** Read by native/binding/interpolate-softmax.cc. */
export const packInterpolateSoftmax = (p: InterpolateSoftmaxPlan): Float64Array =>
  pack([resizedFields(p.resized)]);
