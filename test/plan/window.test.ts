/** Windows against their definition, element by element: what pools, unpools and convolutions share. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { windowAxis, windowExtent, windowInSize, windowOutSize } from '../../src/plan/window.js';

const windows = fc.record({
  kernel: fc.integer({ min: 1, max: 6 }),
  stride: fc.integer({ min: 1, max: 5 }),
  dilation: fc.integer({ min: 1, max: 4 }),
  padBegin: fc.integer({ min: -2, max: 5 }),
  padEnd: fc.integer({ min: -2, max: 5 }),
});
const sizes = fc.integer({ min: 1, max: 24 });

describe('windows', () => {
  it('are as many as fit on input and padding', () => {
    fc.assert(
      fc.property(sizes, windows, (inSize, w) => {
        let fit = 0;
        while (fit * w.stride + windowExtent(w) <= inSize + w.padBegin + w.padEnd) fit++;
        expect(Math.max(0, windowOutSize(inSize, w))).toBe(fit);
      }),
    );
  });

  it('with ceil are one more where a part of one is left, less a last one that starts on the end padding', () => {
    fc.assert(
      fc.property(sizes, windows, (inSize, w) => {
        const floor = windowOutSize(inSize, w);
        fc.pre(floor > 0);
        const left = (floor - 1) * w.stride + windowExtent(w) < inSize + w.padBegin + w.padEnd;
        const most = left ? floor + 1 : floor;
        const starts = (most - 1) * w.stride < inSize + w.padBegin;
        expect(windowOutSize(inSize, w, true)).toBe(starts ? most : most - 1);
      }),
    );
  });

  it('of two at stride 2: 5 inputs leave a half of one, the padding behind 4 does not', () => {
    const w = { kernel: 2, stride: 2, dilation: 1, padBegin: 0, padEnd: 0 };
    expect(windowOutSize(5, w)).toBe(2);
    expect(windowOutSize(5, w, true)).toBe(3);
    expect(windowOutSize(4, { ...w, padEnd: 1 }, true)).toBe(2);
  });

  it('read what the definition says', () => {
    fc.assert(
      fc.property(sizes, windows, (inSize, w) => {
        const outSize = windowOutSize(inSize, w);
        fc.pre(outSize > 0);
        const axis = windowAxis(inSize, w);
        for (let o = 0; o < outSize; o++) {
          const taps = Array.from({ length: w.kernel }, (_, k) => o * w.stride - w.padBegin + k * w.dilation);
          const inside = taps.filter((i) => i >= 0 && i < inSize);
          const read = Array.from({ length: axis.count[o]! }, (_, k) => axis.first[o]! + k * w.dilation);
          expect(read).toEqual(inside);
          expect(axis.padded[o]).toBe(taps.filter((i) => i < inSize + w.padEnd).length);
          if (o >= axis.fullBegin && o < axis.fullEnd) expect(inside).toEqual(taps);
        }
      }),
    );
  });

  it('windowInSize is the least input of so many windows', () => {
    fc.assert(
      fc.property(sizes, windows, (outSize, w) => {
        const inSize = windowInSize(outSize, w);
        expect(windowOutSize(inSize, w)).toBe(outSize);
        expect(windowOutSize(inSize - 1, w)).toBe(outSize - 1);
      }),
    );
  });
});
