/**
 * Sliding windows: output extents, the valid part of every window, what an average divides by. The only place where a
 * window's arithmetic stands; pools, unpools and convolutions read it.
 *
 * Output o of an axis reads inputs o·stride − padBegin + k·dilation for k < kernel, as far as they exist.
 */

/** How a window slides along one axis. `padEnd` may differ from `padBegin`, and both may be negative (a shifted start). */
export interface WindowSpec {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBegin: number;
  readonly padEnd: number;
}

/** A window's extent from its first to its last tap. */
export const windowExtent = (w: Pick<WindowSpec, 'kernel' | 'dilation'>): number =>
  (w.kernel - 1) * w.dilation + 1;

/**
 * floor((inSize + padBegin + padEnd − extent) / stride) + 1, rounded up instead with `ceil`; a last window that would
 * start beyond input and begin padding is dropped (PyTorch, ONNX's reference and onnxruntime agree). Below 1 when no window
 * fits.
 */
export function windowOutSize(inSize: number, w: WindowSpec, ceil = false): number {
  const room = inSize + w.padBegin + w.padEnd - windowExtent(w);
  const out = (ceil ? Math.ceil(room / w.stride) : Math.floor(room / w.stride)) + 1;
  return ceil && (out - 1) * w.stride >= inSize + w.padBegin ? out - 1 : out;
}

/** (inSize − 1)·stride − padBegin − padEnd + extent: the input that a window would leave `inSize` outputs of. */
export const windowInSize = (outSize: number, w: WindowSpec): number =>
  (outSize - 1) * w.stride - w.padBegin - w.padEnd + windowExtent(w);

/** The windows of one axis, as tables. */
export interface WindowAxis {
  readonly inSize: number;
  readonly outSize: number;
  /** The most taps a window has. */
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBegin: number;
  /** Output o reads inputs first[o] + k·dilation, k < count[o]; all of them exist. */
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** Taps of output o that lie on the input or its padding. */
  readonly padded: Int32Array;
  /** Outputs fullBegin ≤ o < fullEnd have count[o] = kernel and first[o] = o·stride − padBegin. */
  readonly fullBegin: number;
  readonly fullEnd: number;
}

/** The tables of a sliding window. `outSize` defaults to windowOutSize(inSize, w). Pure. */
export function windowAxis(
  inSize: number,
  w: WindowSpec,
  outSize: number = windowOutSize(inSize, w),
): WindowAxis {
  const { kernel, stride, dilation, padBegin, padEnd } = w;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const padded = new Int32Array(outSize);
  let fullBegin = outSize;
  let fullEnd = outSize;
  for (let o = 0; o < outSize; o++) {
    const start = o * stride - padBegin;
    const skipped = start < 0 ? Math.ceil(-start / dilation) : 0;
    first[o] = start + skipped * dilation;
    count[o] = tapsBefore(first[o]!, inSize, kernel - skipped, dilation);
    padded[o] = tapsBefore(start, inSize + padEnd, kernel, dilation);
    const full = count[o] === kernel;
    if (full && fullBegin === outSize) fullBegin = o;
    if (!full && fullBegin < outSize && fullEnd === outSize) fullEnd = o;
  }
  return { inSize, outSize, kernel, stride, dilation, padBegin, first, count, padded, fullBegin, fullEnd };
}

/** How many of `taps` taps that start at `start` lie before `end`. */
const tapsBefore = (start: number, end: number, taps: number, dilation: number): number =>
  Math.max(0, Math.min(taps, Math.ceil((end - start) / dilation)));

/** Adaptive windows: output o reads inputs floor(o·inSize/outSize) … ceil((o+1)·inSize/outSize) − 1. Pure. */
export function adaptiveAxis(inSize: number, outSize: number): WindowAxis {
  if (inSize % outSize === 0) {
    const kernel = inSize / outSize;
    return windowAxis(inSize, { kernel, stride: kernel, dilation: 1, padBegin: 0, padEnd: 0 });
  }
  const first = Int32Array.from({ length: outSize }, (_, o) => Math.floor((o * inSize) / outSize));
  const count = first.map((f, o) => Math.ceil(((o + 1) * inSize) / outSize) - f);
  return {
    inSize,
    outSize,
    kernel: count.reduce((a, b) => Math.max(a, b), 1),
    stride: 1,
    dilation: 1,
    padBegin: 0,
    first,
    count,
    padded: count,
    fullBegin: outSize,
    fullEnd: outSize,
  };
}

/** Where spatial axes lie in a tensor: [outer, spatial…, inner]. */
export interface SpatialDims {
  /** Planes: the product of the axes before the spatial ones. */
  readonly outer: number;
  /** Channels of a pixel in nhwc, 1 in nchw. */
  readonly inner: number;
  readonly spatial: readonly number[];
  /** `dims` with other spatial extents. */
  readonly withSpatial: (sizes: readonly number[]) => number[];
}

export function spatialDims(dims: readonly number[], layout: 'nchw' | 'nhwc', axes: number): SpatialDims {
  const first = dims.length - axes - (layout === 'nhwc' ? 1 : 0);
  const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);
  return {
    outer: product(dims.slice(0, first)),
    inner: product(dims.slice(first + axes)),
    spatial: dims.slice(first, first + axes),
    withSpatial: (sizes) => [...dims.slice(0, first), ...sizes, ...dims.slice(first + axes)],
  };
}
/** The outputs o = stride·q + phase of a transposed convolution and what reaches them: w[kernel] · in[q + offset]. */
export interface AxisPhase {
  readonly phase: number;
  /** In rising order of offset. Empty where gcd(dilation, stride) > 1 leaves a hole. */
  readonly taps: readonly { readonly kernel: number; readonly offset: number }[];
}

/** Which kernel elements reach each residue modulo the stride: those with (phase + padding − kernel·dilation) % stride = 0. */
export function axisPhases(axis: {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation?: number;
  readonly padding?: number;
}): AxisPhase[] {
  const { kernel, stride, dilation = 1, padding = 0 } = axis;
  const phases = Array.from({ length: stride }, (_, phase) => ({
    phase,
    taps: [] as { kernel: number; offset: number }[],
  }));
  for (let k = kernel - 1; k >= 0; k--) {
    const reach = k * dilation - padding;
    const phase = ((reach % stride) + stride) % stride;
    phases[phase]!.taps.push({ kernel: k, offset: (phase - reach) / stride });
  }
  return phases;
}
