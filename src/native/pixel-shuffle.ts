import type { BlockPlan } from '../plan/pixel-shuffle.js';
import { codeOf } from '../tensor.js';
import { pack } from './pack.js';

/** Read by native/binding/pixel-shuffle.cc. */
export const packPixelShuffle = (p: BlockPlan): Float64Array =>
  pack([
    codeOf(p.type),
    p.layout === 'nhwc',
    p.order === 'dcr',
    p.batch,
    p.channels,
    p.height,
    p.width,
    p.block,
  ]);
