import type { Resized } from '../plan/resized.js';
import { codeOf } from '../tensor.js';
import { axisFields } from './interpolate.js';
import type { Field } from './pack.js';

/** Read by native/binding/resized.h. */
export const resizedFields = (r: Resized): Field => [
  codeOf(r.type),
  r.batch,
  r.channels,
  r.inner,
  r.axes.length,
  r.axes.map((a, i) => [axisFields(a), r.wholeSizes[i]!]),
];
