import type { MaskRunsPlan } from '../plan/mask-runs.js';
import { pack } from './pack.js';

/** Read by native/binding/mask-runs.cc. */
export const packMaskRuns = (p: MaskRunsPlan): Float64Array =>
  pack([p.planes, p.height, p.width, p.offsets !== undefined, p.total, p.offsets ?? []]);
