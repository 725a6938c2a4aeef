/** The small U-Net of bench/unet: the same weights, pictures and numbers as PyTorch 2.13 had when it trained them. */
import { describe, expect, it } from 'vitest';

// Plain JavaScript against dist/, as a user would write it.
const { evaluate } = (await import('../bench/unet/network.mjs' as string)) as {
  evaluate: () => Promise<{
    variants: {
      variant: string;
      iou: number;
      iouCoarseNearest: number;
      worstLogitDifference: number;
      torch: { iou: number; iouCoarseNearest: number };
    }[];
  }>;
};

describe('the U-Net with four expanding paths', async () => {
  const { variants } = await evaluate();

  it.each(variants.map((v) => [v.variant, v] as const))('%s agrees with PyTorch', (_, v) => {
    // Nine layers of at most 48·9 products each, values up to about 20: float32 rounding, summed over the depth.
    expect(v.worstLogitDifference).toBeLessThan(1e-3);
    expect(v.iou).toBeCloseTo(v.torch.iou, 3);
    expect(v.iouCoarseNearest).toBeCloseTo(v.torch.iouCoarseNearest, 3);
  });

  it.each(variants.map((v) => [v.variant, v] as const))('%s brings WHERE back', (_, v) => {
    expect(v.iou).toBeGreaterThan(0.7);
    expect(v.iou).toBeGreaterThan(v.iouCoarseNearest + 0.05);
  });
});
