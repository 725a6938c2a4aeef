/** Both orders of channels, in both layouts, by hand and there and back: the torch dialect reaches only one of them. */
import { describe, expect, it } from 'vitest';
import { native } from '../../src/native/backend.js';
import { outputDims } from '../../src/output-dims.js';
import { planPixelShuffle } from '../../src/plan/pixel-shuffle.js';
import { planPixelUnshuffle } from '../../src/plan/pixel-unshuffle.js';
import { reference } from '../../src/reference/index.js';
import { product } from '../support/operator.js';

describe('blocks of pixels', () => {
  it.each([
    // 8 channels of one pixel, 2 channels after: ONNX's DepthToSpace in its two modes.
    ['crd', [0, 1, 2, 3, 4, 5, 6, 7]],
    ['dcr', [0, 2, 4, 6, 1, 3, 5, 7]],
  ] as const)('%s numbers the channels as ONNX says', (order, expected) => {
    const plan = planPixelShuffle({
      type: 'uint8',
      dims: [1, 8, 1, 1],
      layout: 'nchw',
      order,
      block: [2, 2],
    });
    expect(plan.outDims).toEqual([1, 2, 2, 2]);
    const out = new Uint8Array(8);
    native(1).pixelShuffle(plan, [Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7)], [out]);
    expect([...out]).toEqual([...expected]);
  });

  it.each(
    product({
      layout: ['nchw', 'nhwc'] as const,
      order: ['crd', 'dcr'] as const,
      block: [
        [2, 2],
        [1, 3],
        [4, 2],
        [2, 4],
      ] as const,
    }),
  )('goes there and back as the reference does: $layout $order $block', ({ layout, order, block }) => {
    const dims =
      layout === 'nchw' ? [2, 3 * block[0] * block[1], 4, 35] : [2, 4, 5, 17 * block[0] * block[1]];
    const there = planPixelShuffle({ type: 'int16', dims, layout, order, block });
    const back = planPixelUnshuffle({ type: 'int16', dims: there.outDims, layout, order, block });
    expect(back.outDims).toEqual(dims);
    const input = Int16Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => i);
    const [got, expected, again] = [0, 0, 0].map(() => new Int16Array(input.length));
    native(2).pixelShuffle(there, [input], [got!]);
    reference.pixelShuffle(there, [input], [expected!]);
    expect(got).toEqual(expected);
    native(2).pixelUnshuffle(back, [got!], [again!]);
    expect(again).toEqual(input);
  });

  it('tells its output dims without a tensor', () => {
    expect(outputDims.pixelShuffle([1, 12, 5, 7], { upscaleFactor: 2 })).toEqual([1, 3, 10, 14]);
    expect(outputDims.pixelUnshuffle([10, 14, 3], { downscaleFactor: 2, layout: 'nhwc' })).toEqual([
      5, 7, 12,
    ]);
  });
});
