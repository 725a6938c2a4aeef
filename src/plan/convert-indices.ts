/** How frameworks number the winners of a pooling, as arithmetic between an element's place and its number. */
import { type WindowSpec, windowExtent } from './window.js';

/**
 * pytorch: row · W + column in the plane. onnx: ((n · C + c) · H + row) · W + column. tensorflow: (row · W + column) · C + c.
 * tensorflow-batch: ((n · H + row) · W + column) · C + c. xnnpack: tap row · kernel width + tap column in the window.
 */
export type IndexConvention = 'pytorch' | 'onnx' | 'tensorflow' | 'tensorflow-batch' | 'xnnpack';
export const INDEX_CONVENTIONS: readonly IndexConvention[] = [
  'pytorch',
  'onnx',
  'tensorflow',
  'tensorflow-batch',
  'xnnpack',
];

/** The tensor that was pooled, and the windows that did it (only the xnnpack convention asks for them). */
export interface IndexSpace {
  readonly channels: number;
  readonly spatial: readonly number[];
  readonly windows: readonly WindowSpec[] | undefined;
}

/** The output element whose winner is numbered. */
export interface IndexPlace {
  readonly batch: number;
  readonly channel: number;
  readonly output: readonly number[];
}

/** The winner's flat position in its plane, or -1 when the number names nothing that this output element could have won. */
export function planePosition(
  convention: IndexConvention,
  space: IndexSpace,
  at: IndexPlace,
  value: number,
): number {
  const plane = space.spatial.reduce((a, b) => a * b, 1);
  const inside = (p: number) => (Number.isInteger(p) && p >= 0 && p < plane ? p : -1);
  switch (convention) {
    case 'pytorch':
      return inside(value);
    case 'onnx':
      return inside(value - (at.batch * space.channels + at.channel) * plane);
    case 'tensorflow':
      return inside((value - at.channel) / space.channels);
    case 'tensorflow-batch':
      return inside((value - at.channel) / space.channels - at.batch * plane);
    case 'xnnpack': {
      const windows = space.windows!;
      if (!Number.isInteger(value) || value < 0 || value >= windows.reduce((n, w) => n * w.kernel, 1))
        return -1;
      let rest = value;
      let flat = 0;
      let stride = 1;
      for (let i = windows.length - 1; i >= 0; i--) {
        const w = windows[i]!;
        const p = at.output[i]! * w.stride - w.padBegin + (rest % w.kernel) * w.dilation;
        if (p < 0 || p >= space.spatial[i]!) return -1;
        flat += p * stride;
        stride *= space.spatial[i]!;
        rest = Math.floor(rest / w.kernel);
      }
      return flat;
    }
  }
}

/** The number of the winner at flat position `position` of its plane, or -1 when it lies outside the window (xnnpack). */
export function indexNumber(
  convention: IndexConvention,
  space: IndexSpace,
  at: IndexPlace,
  position: number,
): number {
  const plane = space.spatial.reduce((a, b) => a * b, 1);
  switch (convention) {
    case 'pytorch':
      return position;
    case 'onnx':
      return (at.batch * space.channels + at.channel) * plane + position;
    case 'tensorflow':
      return position * space.channels + at.channel;
    case 'tensorflow-batch':
      return (at.batch * plane + position) * space.channels + at.channel;
    case 'xnnpack': {
      const windows = space.windows!;
      let rest = position;
      let tap = 0;
      let stride = 1;
      for (let i = windows.length - 1; i >= 0; i--) {
        const w = windows[i]!;
        const offset = (rest % space.spatial[i]!) - at.output[i]! * w.stride + w.padBegin;
        if (offset < 0 || offset >= windowExtent(w) || offset % w.dilation !== 0) return -1;
        tap += (offset / w.dilation) * stride;
        stride *= w.kernel;
        rest = Math.floor(rest / space.spatial[i]!);
      }
      return tap;
    }
  }
}
