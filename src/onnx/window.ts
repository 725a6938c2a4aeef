/** The attributes that ONNX's sliding windows share, checked and turned into begin and end paddings. */
import { integers } from '../check.js';
import { mustBe, refuse } from '../errors.js';
import { type WindowSpec, windowExtent } from '../plan/window.js';
import { word } from './call.js';

export interface WindowAttributes {
  /**
   * SAME_UPPER and SAME_LOWER pad so that the output has ceil(in / stride) elements, the odd cell at the end or at the
   * beginning; VALID pads nothing. Default NOTSET: `pads`.
   */
  readonly auto_pad?: 'NOTSET' | 'SAME_UPPER' | 'SAME_LOWER' | 'VALID' | undefined;
  /** Distance between the taps of a window, per spatial axis. Default 1. */
  readonly dilations?: readonly number[] | undefined;
  /** Extents of the window. */
  readonly kernel_shape?: readonly number[] | undefined;
  /** Begin of every spatial axis, then end of every axis. Default 0. */
  readonly pads?: readonly number[] | undefined;
  /** Distance between windows, per spatial axis. Default 1. */
  readonly strides?: readonly number[] | undefined;
}

const AUTO_PAD = ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'] as const;

/** The number of spatial axes of an input (N, C, spatial…); refuses other ranks and empty axes other than the batch. */
export function spatialRank(op: string, param: string, dims: readonly number[]): number {
  if (dims.length < 3 || dims.length > 5 || dims.slice(1).some((d) => d === 0))
    refuse(
      op,
      `${param}.dims`,
      `${param} must have 3 to 5 dimensions, none empty but the batch, got [${dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  return dims.length - 2;
}

/** One window per spatial axis and what auto_pad says; with SAME_* the paddings are still 0. */
export function windowsOf(op: string, a: WindowAttributes, kernel: readonly number[]) {
  const n = kernel.length;
  const autoPad = word(op, 'auto_pad', a.auto_pad, AUTO_PAD, 'NOTSET');
  const strides = list(op, 'strides', a.strides, n, 1);
  const dilations = list(op, 'dilations', a.dilations, n, 1);
  const pads =
    a.pads === undefined ? new Array<number>(2 * n).fill(0) : integers(op, 'pads', a.pads, 2 * n, 0);
  if (autoPad !== 'NOTSET' && pads.some((p) => p !== 0))
    refuse(op, 'pads', `pads must be left out with auto_pad ${autoPad}, got [${pads.join(', ')}]`);
  const windows = kernel.map(
    (k, i): WindowSpec => ({
      kernel: k,
      stride: strides[i]!,
      dilation: dilations[i]!,
      padBegin: pads[i]!,
      padEnd: pads[n + i]!,
    }),
  );
  return { windows, autoPad };
}

/** n positive integers, or a default for each. */
export function list(
  op: string,
  param: string,
  value: unknown,
  n: number,
  otherwise: number,
  low = 1,
): number[] {
  return value === undefined ? new Array<number>(n).fill(otherwise) : integers(op, param, value, n, low);
}

/** kernel_shape of a pool. */
export function kernelOf(op: string, value: unknown, n: number): number[] {
  if (value === undefined) mustBe(op, 'kernel_shape', `a list of ${n} integers of at least 1`, value);
  return integers(op, 'kernel_shape', value, n, 1);
}

/** A window with the paddings of SAME_*: enough for ceil(in / stride) outputs, and never negative. */
export function samePads(inSize: number, w: WindowSpec, upper: boolean): WindowSpec {
  const outSize = Math.ceil(inSize / w.stride);
  const total = Math.max(0, (outSize - 1) * w.stride + windowExtent(w) - inSize);
  const half = Math.floor(total / 2);
  return { ...w, padBegin: upper ? half : total - half, padEnd: upper ? total - half : half };
}
