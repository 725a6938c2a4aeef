import type { InterpolateQuantizePlan } from '../plan/interpolate-quantize.js';
import { bytesOf } from '../tensor.js';
import { pack } from './pack.js';
import { resizedFields } from './resized.js';

/** Read by native/binding/interpolate-quantize.cc. */
export const packInterpolateQuantize = (p: InterpolateQuantizePlan): Float64Array =>
  pack([
    resizedFields(p.resized),
    bytesOf(p.to),
    ['given', 'minmax', 'percentile'].indexOf(p.range),
    p.low,
    p.high,
  ]);
