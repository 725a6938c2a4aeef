import { type MaxUnpool2dPlan, ON_DUPLICATE } from '../plan/max-unpool2d.js';
import { codeOf } from '../tensor.js';
import { pack } from './pack.js';

/** Read by native/binding/max-unpool2d.cc. */
export const packMaxUnpool2d = (p: MaxUnpool2dPlan): Float64Array =>
  pack([
    codeOf(p.type),
    p.outer,
    p.inSize,
    p.outSize,
    p.inner,
    p.inRow,
    p.outRow,
    p.indexType === 'int64',
    p.planeStride,
    ON_DUPLICATE.indexOf(p.onDuplicate),
    p.indexSize,
    p.grows?.from.length ?? 0,
    p.grows === undefined ? [] : [p.grows.from.slice(), p.grows.to.slice()],
  ]);
