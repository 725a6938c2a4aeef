import type { GridSamplePlan } from '../plan/grid-sample.js';
import { codeOf } from '../tensor.js';
import { pack } from './pack.js';

/** Position in the list: the numbers of native/kernels/grid-sample.h. */
const FILTERS = ['nearest', 'nearest-first', 'linear', 'cubic'];
const PADDINGS = ['zeros', 'border', 'reflection'];

/** Read by native/binding/grid-sample.cc. */
export const packGridSample = (p: GridSamplePlan): Float64Array =>
  pack([
    codeOf(p.type),
    codeOf(p.gridType),
    p.layout === 'nhwc',
    FILTERS.indexOf(p.filter === 'nearest' && p.roundsFirst ? 'nearest-first' : p.filter),
    PADDINGS.indexOf(p.padding),
    p.batch,
    p.channels,
    p.points,
    p.axes.length,
    p.axes.map((a) => [a.size, a.step, a.shift, a.low, a.period]),
  ]);
