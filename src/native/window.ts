import type { WindowAxis } from '../plan/window.js';
import type { Field } from './pack.js';

/** Read by native/binding/window.h. */
export const windowFields = (a: WindowAxis): Field => [
  a.inSize,
  a.outSize,
  a.kernel,
  a.stride,
  a.dilation,
  a.padBegin,
  a.fullBegin,
  a.fullEnd,
  a.first,
  a.count,
];
