/** Prints what the four networks score, with PyTorch's numbers beside ours. Pictures: npm run demo. */
import { evaluate } from './network.mjs';

const { torch, variants } = await evaluate();
const show = (v) => v.toFixed(4).padStart(8);
console.log(`mean intersection over union on drawn pictures; beside it PyTorch ${torch.torch}`);
console.log(
  'expanding path   full size   PyTorch  coarse ×4 nearest  coarse ×4 bilinear  largest logit difference',
);
for (const v of variants)
  console.log(
    v.variant.padEnd(15),
    show(v.iou).padStart(10),
    show(v.torch.iou).padStart(9),
    show(v.iouCoarseNearest).padStart(18),
    show(v.iouCoarseBilinear).padStart(19),
    v.worstLogitDifference.toExponential(1).padStart(25),
  );
