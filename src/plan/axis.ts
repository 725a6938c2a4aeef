/**
 * The ONLY coordinate arithmetic of the package: from an output position to the input pixels that it reads.
 *
 * Every resize mode of every dialect becomes one table per axis, built here and read by both backends:
 *
 *     out[o] = Σ_{k < count[o]} weight[k·outSize + o] · in[index[k·outSize + o]]
 *
 * Three orthogonal pieces, as in ONNX Resize: a coordinate transform, a filter, and a border rule.
 *
 * Note [Exact coordinates]
 * Coordinates and weights are computed in float64 and rounded once, to the compute type. PyTorch computes them in
 * float32; for filters that are continuous (linear, cubic) the difference is a rounding of the weight, so we keep the
 * more exact one. For `nearest` and `nearest-exact` it decides which pixel is read, so there PyTorch's arithmetic is
 * reproduced (`torch: …`, see TorchNearest).
 */

/**
 * From an output index to a (fractional) input coordinate. `scale` is out/in in every one of them.
 *
 * Note [Fractional lengths]
 * With a given scale the output has floor(in · scale) elements, but ONNX's reference keeps in · scale as the length where a
 * formula asks for one (align-corners, crop, half-pixel-symmetric and the one-element case of half-pixel-or-corner).
 */
export type Coordinates =
  | { readonly kind: 'half-pixel' }
  | { readonly kind: 'align-corners' }
  | { readonly kind: 'asymmetric' }
  /** Half-pixel, shifted so that the centre of the input falls on the centre of the truncated output. */
  | { readonly kind: 'half-pixel-symmetric' }
  /** Half-pixel, but one output element reads at -0.5, as ONNX's reference of `pytorch_half_pixel` does. */
  | { readonly kind: 'half-pixel-or-corner' }
  /** Half-pixel without taking the half off again: what TensorFlow's nearest neighbour floors. */
  | { readonly kind: 'half-pixel-to-floor' }
  /** align-corners of the part of the axis from `start` to `end`, in units of inSize - 1; beyond the axis is outside. */
  | { readonly kind: 'crop'; readonly start: number; readonly end: number }
  /** What PyTorch does for antialias with alignCorners: the step of align-corners, the centres of half-pixel. */
  | { readonly kind: 'align-corners-step' };

/** Which inputs around a coordinate are read, and how they weigh. */
export type Filter =
  | { readonly kind: 'nearest'; readonly rounding: 'floor' | 'ceil' | 'prefer-floor' | 'prefer-ceil' }
  | { readonly kind: 'linear' }
  | { readonly kind: 'cubic'; readonly a: number }
  /** Adaptive average: input cells floor(o·in/out) up to ceil((o+1)·in/out), all alike. */
  | { readonly kind: 'area' }
  /** The linear or cubic filter widened by the shrinking factor and normalised. */
  | { readonly kind: 'antialias'; readonly base: 'linear' | 'cubic'; readonly a: number };

/**
 * PyTorch 2.13 computes nearest indices in three ways (ATen/native/cpu/UpSampleKernel.cpp); all of them round to
 * float32 before they floor. 'indexed': a float32 step; `nearest` copies or halves outright when the output is as long
 * or twice as long, whatever the factor. 'float32': a float32 step; `nearest-exact` subtracts the half pixel in a fused
 * multiply-add and adds it again. 'float64': the same with a float64 step, for float64 tensors.
 */
export type TorchNearest = 'indexed' | 'float32' | 'float64';

/** Everything that determines one axis. */
export interface AxisSpec {
  readonly inSize: number;
  readonly outSize: number;
  readonly coordinates: Coordinates;
  readonly filter: Filter;
  /**
   * What becomes of taps beyond the axis: 'clamp' reads the edge pixel, 'exclude' drops them and normalises the rest.
   * Default 'clamp', for antialias 'exclude' (Pillow, PyTorch).
   */
  readonly border?: 'clamp' | 'exclude';
  /** out/in as the caller gave it; left out, the ratio of the sizes. */
  readonly scale?: number;
  /**
   * The part of the input that the output shows, in pixel edges (0 to inSize); left out, all of it. Pixels outside it are
   * still read where a filter reaches them. Not with `scale` or `torch`.
   */
  readonly window?: readonly [number, number];
  /** Computes the index of a nearest filter as this loop of PyTorch does. */
  readonly torch?: TorchNearest;
  /** The type weights are rounded to: that of the computation. */
  readonly precision: 'float32' | 'float64';
}

/** The table of one axis; tap-major, see the top of this file. */
export interface AxisTaps {
  readonly inSize: number;
  readonly outSize: number;
  /** The largest `count`. */
  readonly taps: number;
  /** Every index is a real pixel, whatever its weight. */
  readonly index: Int32Array;
  readonly weight: Float32Array | Float64Array;
  /** How many taps output o has; entries beyond it repeat the last index with weight 0 and must not be read. */
  readonly count: Int32Array;
  /** 1 where the coordinate lies beyond the axis, for coordinates that know an outside ('crop') and where any does. */
  readonly outside?: Int32Array;
}

/** Builds the table. Pure; the result survives structuredClone. */
export function axisTaps(spec: AxisSpec): AxisTaps {
  const { inSize, outSize, filter } = spec;
  const taps = tapCount(spec);
  const index = new Int32Array(taps * outSize);
  const weight =
    spec.precision === 'float64' ? new Float64Array(taps * outSize) : new Float32Array(taps * outSize);
  const count = new Int32Array(outSize).fill(taps);
  const outside = spec.coordinates.kind === 'crop' ? new Int32Array(outSize) : undefined;
  const put = (o: number, k: number, i: number, w: number) => {
    index[k * outSize + o] = i < 0 ? 0 : i >= inSize ? inSize - 1 : i;
    weight[k * outSize + o] = w;
  };
  for (let o = 0; o < outSize; o++) {
    if (filter.kind === 'area') {
      const [first, end] = areaCells(spec, o);
      count[o] = end - first;
      for (let k = 0; k < taps; k++)
        put(o, k, Math.min(first + k, end - 1), first + k < end ? 1 / (end - first) : 0);
      continue;
    }
    if (filter.kind === 'antialias') {
      const { first, weights } = antialiasWindow(spec, filter, o);
      count[o] = weights.length;
      const last = first + weights.length - 1;
      for (let k = 0; k < taps; k++) put(o, k, Math.min(first + k, last), weights[k] ?? 0);
      continue;
    }
    if (filter.kind === 'nearest' && spec.torch !== undefined) {
      put(o, 0, torchNearestIndex(spec, spec.torch, o), 1);
      continue;
    }
    const x = coordinate(spec, o);
    if (outside !== undefined && (x < 0 || x > inSize - 1)) outside[o] = 1;
    if (filter.kind === 'nearest') {
      put(o, 0, nearestIndex(x, filter.rounding), 1);
    } else if (filter.kind === 'linear') {
      const clamped = Math.min(Math.max(x, 0), inSize - 1);
      const first = Math.floor(clamped);
      const t = clamped - first;
      put(o, 0, first, 1 - t);
      put(o, 1, first + 1, t);
    } else {
      const first = Math.floor(x);
      const t = x - first;
      const w = [
        cubicOuter(t + 1, filter.a),
        cubicInner(t, filter.a),
        cubicInner(1 - t, filter.a),
        cubicOuter(2 - t, filter.a),
      ];
      if (spec.border === 'exclude') normaliseInside(w, first - 1, inSize);
      for (let k = 0; k < 4; k++) put(o, k, first - 1 + k, w[k]!);
    }
  }
  let table: AxisTaps = { inSize, outSize, taps, index, weight, count };
  if (taps > 1) {
    dropZeroTaps(table, filter.kind === 'linear' || filter.kind === 'cubic');
    if (readsOnePixelEach(table)) table = movedTaps(table);
  }
  return outside?.includes(1) ? { ...table, outside } : table;
}

/** Whether each output reads one pixel only: an axis that keeps its size, or of one element. */
function readsOnePixelEach({ outSize, taps, index, count }: AxisTaps): boolean {
  for (let k = 1; k < taps; k++)
    for (let o = 0; o < outSize; o++) if (k < count[o]! && index[k * outSize + o] !== index[o]) return false;
  return true;
}

/** What such an axis does: weights sum to 1, so the pixel is moved. */
function movedTaps(table: AxisTaps): AxisTaps {
  const { outSize, index, weight, count } = table;
  return {
    ...table,
    taps: 1,
    index: index.slice(0, outSize),
    weight: weight.slice(0, outSize).fill(1),
    count: count.slice().fill(1),
  };
}

/**
 * A tap of weight 0 would turn an infinity into NaN, so none is kept. Tables of the linear and cubic filters have the
 * same number of taps everywhere, which the kernels like: there the last tap is split by halves instead, smallest first,
 * so that a single tap still gives its pixel exactly.
 */
function dropZeroTaps({ outSize, taps, index, weight, count }: AxisTaps, split: boolean): void {
  for (let o = 0; o < outSize; o++) {
    let kept = 0;
    for (let k = 0; k < count[o]!; k++) {
      const w = weight[k * outSize + o]!;
      if (w === 0) continue;
      weight[kept * outSize + o] = w;
      index[kept * outSize + o] = index[k * outSize + o]!;
      kept++;
    }
    if (kept === count[o] || kept === 0) continue;
    const last = (kept - 1) * outSize + o;
    const [i, w] = [index[last]!, weight[last]!];
    if (!split) count[o] = kept;
    for (let k = split ? kept - 1 : kept; k < taps; k++) {
      index[k * outSize + o] = i;
      weight[k * outSize + o] = split ? w * 2 ** -Math.min(taps - k, taps - kept) : 0;
    }
  }
}

/** Drops the weights of pixels beyond the axis and scales the others to sum to 1; leaves them where nothing would be left. */
function normaliseInside(w: number[], first: number, inSize: number): void {
  const inside = (k: number) => first + k >= 0 && first + k < inSize;
  const sum = w.reduce((s, v, k) => (inside(k) ? s + v : s), 0);
  if (sum === 0) return;
  for (let k = 0; k < w.length; k++) w[k] = inside(k) ? w[k]! / sum : 0;
}

/** The table that copies: the axis as it is. */
export function identityTaps(size: number, precision: 'float32' | 'float64'): AxisTaps {
  return axisTaps({
    inSize: size,
    outSize: size,
    coordinates: { kind: 'asymmetric' },
    filter: { kind: 'nearest', rounding: 'floor' },
    precision,
  });
}

/** True when the table copies its axis. */
export function isIdentity(a: AxisTaps): boolean {
  if (a.taps !== 1 || a.inSize !== a.outSize) return false;
  for (let o = 0; o < a.outSize; o++) if (a.index[o] !== o) return false;
  return true;
}

/** The pixels under the widened filter of output o and their weights, which sum to 1. */
function antialiasWindow(spec: AxisSpec, filter: { base: 'linear' | 'cubic'; a: number }, o: number) {
  const { inSize } = spec;
  const { step, support } = antialiasSupport(shownPart(spec), filter);
  const center = coordinate(spec, o) + 0.5;
  const clamp = (i: number) => Math.min(Math.max(i, 0), inSize - 1);
  let first = Math.floor(center - support + 0.5);
  let end = Math.floor(center + support + 0.5);
  if (spec.border !== 'clamp') {
    first = clamp(first);
    end = Math.max(Math.min(end, inSize), first + 1);
  }
  const squeeze = step > 1 ? 1 / step : 1;
  const low = clamp(first);
  const weights = new Array<number>(clamp(end - 1) - low + 1).fill(0);
  let sum = 0;
  for (let i = first; i < end; i++) {
    const d = Math.abs((i - center + 0.5) * squeeze);
    const w =
      filter.base === 'linear'
        ? Math.max(1 - d, 0)
        : d < 1
          ? cubicInner(d, filter.a)
          : d < 2
            ? cubicOuter(d, filter.a)
            : 0;
    weights[clamp(i) - low]! += w;
    sum += w;
  }
  return { first: low, weights: sum === 0 ? [1] : weights.map((w) => w / sum) };
}

function antialiasSupport(
  spec: AxisSpec,
  filter: { base: 'linear' | 'cubic' },
): { step: number; support: number } {
  const { inSize, outSize, coordinates } = spec;
  const step =
    coordinates.kind === 'align-corners-step'
      ? cornerStep(spec)
      : spec.scale === undefined
        ? inSize / outSize
        : 1 / spec.scale;
  return { step, support: (filter.base === 'linear' ? 1 : 2) * Math.max(step, 1) };
}

/** Input pixels per output pixel when the corners fall on each other. */
const cornerStep = ({ inSize, outSize }: AxisSpec): number =>
  outSize > 1 ? (inSize - 1) / (outSize - 1) : 0;

function tapCount(spec: AxisSpec): number {
  const { outSize, filter } = spec;
  if (filter.kind === 'nearest') return 1;
  if (filter.kind === 'linear') return 2;
  if (filter.kind === 'cubic') return 4;
  let most = 1;
  if (filter.kind === 'antialias') {
    for (let o = 0; o < outSize; o++) most = Math.max(most, antialiasWindow(spec, filter, o).weights.length);
    return most;
  }
  for (let o = 0; o < outSize; o++) {
    const [first, end] = areaCells(spec, o);
    most = Math.max(most, end - first);
  }
  return most;
}

/** The axis as if its window were all there is. */
function shownPart(spec: AxisSpec): AxisSpec {
  if (spec.window === undefined) return spec;
  const { window, ...rest } = spec;
  return { ...rest, inSize: window[1] - window[0] };
}

/** The input cells that output o of 'area' averages: those it touches. */
function areaCells(spec: AxisSpec, o: number): [first: number, end: number] {
  const low = spec.window?.[0] ?? 0;
  const shown = shownPart(spec).inSize;
  const first = Math.min(Math.floor(low + (o * shown) / spec.outSize), spec.inSize - 1);
  const end = Math.min(Math.ceil(low + ((o + 1) * shown) / spec.outSize), spec.inSize);
  return [first, Math.max(end, first + 1)];
}

/** The outputs from `first` up to `end` of a table, as a table. */
export function sliceTaps(a: AxisTaps, first: number, end: number): AxisTaps {
  const outSize = end - first;
  const index = new Int32Array(a.taps * outSize);
  const weight =
    a.weight instanceof Float64Array
      ? new Float64Array(a.taps * outSize)
      : new Float32Array(a.taps * outSize);
  for (let k = 0; k < a.taps; k++) {
    index.set(a.index.subarray(k * a.outSize + first, k * a.outSize + end), k * outSize);
    weight.set(a.weight.subarray(k * a.outSize + first, k * a.outSize + end), k * outSize);
  }
  return { ...a, outSize, index, weight, count: a.count.slice(first, end) };
}

function coordinate(spec: AxisSpec, o: number): number {
  const { inSize, outSize, coordinates } = spec;
  if (spec.window !== undefined) return spec.window[0] + coordinate(shownPart(spec), o);
  const halfPixel = () =>
    spec.scale === undefined ? ((o + 0.5) * inSize) / outSize - 0.5 : (o + 0.5) / spec.scale - 0.5;
  // See Note [Fractional lengths].
  const length = spec.scale === undefined ? outSize : inSize * spec.scale;
  switch (coordinates.kind) {
    case 'half-pixel':
      return halfPixel();
    case 'align-corners':
      return length === 1 ? 0 : (o * (inSize - 1)) / (length - 1);
    case 'asymmetric':
      return spec.scale === undefined ? (o * inSize) / outSize : o / spec.scale;
    case 'half-pixel-symmetric':
      return (inSize / 2) * (1 - outSize / length) + halfPixel();
    case 'half-pixel-or-corner':
      return length === 1 ? -0.5 : halfPixel();
    case 'half-pixel-to-floor':
      return spec.scale === undefined ? ((o + 0.5) * inSize) / outSize : (o + 0.5) / spec.scale;
    case 'crop': {
      const { start, end } = coordinates;
      if (length === 1) return ((start + end) / 2) * (inSize - 1);
      // Written so that the last output of a crop that ends at the border is not outside by a rounding.
      return (((length - 1 - o) * start + o * end) * (inSize - 1)) / (length - 1);
    }
    case 'align-corners-step':
      return cornerStep(spec) * (o + 0.5) - 0.5;
  }
}

/** The input index that PyTorch reads, before it is clamped; 'half-pixel' is its nearest-exact. */
function torchNearestIndex(spec: AxisSpec, how: TorchNearest, o: number): number {
  const { inSize, outSize, coordinates, scale } = spec;
  const f = Math.fround;
  const exact = coordinates.kind === 'half-pixel';
  if (how === 'indexed' && !exact) {
    if (outSize === inSize) return o;
    if (outSize === 2 * inSize) return o >> 1;
  }
  const step =
    how === 'float64'
      ? scale === undefined
        ? inSize / outSize
        : 1 / scale
      : scale === undefined
        ? f(f(inSize) / f(outSize))
        : f(1 / scale);
  if (!exact) return Math.floor(f(o * step));
  if (how === 'indexed') return Math.floor(f((o + 0.5) * step));
  const x = step * (o + 0.5) - 0.5;
  return Math.floor(f(Math.max(how === 'float32' ? f(x) : x, 0) + 0.5));
}

function nearestIndex(x: number, rounding: 'floor' | 'ceil' | 'prefer-floor' | 'prefer-ceil'): number {
  switch (rounding) {
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    case 'prefer-floor':
      return Math.ceil(x - 0.5);
    case 'prefer-ceil':
      return Math.floor(x + 0.5);
  }
}

/** Keys' cubic convolution kernel for distances 0..1 and 1..2 (IEEE ASSP 29(6), 1981), with free parameter a. */
const cubicInner = (t: number, a: number) => ((a + 2) * t - (a + 3)) * t * t + 1;
const cubicOuter = (t: number, a: number) => ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
