import type { InterpolateThresholdPlan } from '../plan/interpolate-threshold.js';
import { pack } from './pack.js';
import { resizedFields } from './resized.js';

/** Read by native/binding/interpolate-threshold.cc. */
export const packInterpolateThreshold = (p: InterpolateThresholdPlan): Float64Array =>
  pack([resizedFields(p.resized), p.source.length, p.source, p.boxes, p.threshold, p.bits]);
