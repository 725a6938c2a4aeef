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
 * more exact one. For `nearest` it decides which pixel is read, so there PyTorch's float32 arithmetic is reproduced
 * (`arithmetic: 'float32'`).
 */

/** From an output index to a (fractional) input coordinate. `scale` is out/in in every one of them. */
export type Coordinates =
  | { readonly kind: 'half-pixel' }
  | { readonly kind: 'align-corners' }
  | { readonly kind: 'asymmetric' };

/** Which inputs around a coordinate are read, and how they weigh. */
export type Filter =
  | { readonly kind: 'nearest'; readonly rounding: 'floor' | 'ceil' | 'prefer-floor' | 'prefer-ceil' }
  | { readonly kind: 'linear' }
  | { readonly kind: 'cubic'; readonly a: number }
  /** Adaptive average: input cells floor(o·in/out) up to ceil((o+1)·in/out), all alike. */
  | { readonly kind: 'area' }
  /** The linear or cubic filter widened by the shrinking factor, cut at the border and normalised (Pillow, PyTorch). */
  | { readonly kind: 'antialias'; readonly base: 'linear' | 'cubic'; readonly a: number };

/** Everything that determines one axis. */
export interface AxisSpec {
  readonly inSize: number;
  readonly outSize: number;
  readonly coordinates: Coordinates;
  readonly filter: Filter;
  /** out/in as the caller gave it; left out, the ratio of the sizes. */
  readonly scale?: number;
  /** 'float32' computes nearest indices as PyTorch does. */
  readonly arithmetic?: 'float32' | 'float64';
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
}

/** Builds the table. Pure; the result survives structuredClone. */
export function axisTaps(spec: AxisSpec): AxisTaps {
  const { inSize, outSize, filter } = spec;
  const taps = tapCount(spec);
  const index = new Int32Array(taps * outSize);
  const weight =
    spec.precision === 'float64' ? new Float64Array(taps * outSize) : new Float32Array(taps * outSize);
  const count = new Int32Array(outSize).fill(taps);
  const put = (o: number, k: number, i: number, w: number) => {
    index[k * outSize + o] = i < 0 ? 0 : i >= inSize ? inSize - 1 : i;
    weight[k * outSize + o] = w;
  };
  for (let o = 0; o < outSize; o++) {
    if (filter.kind === 'area') {
      const first = Math.floor((o * inSize) / outSize);
      const end = Math.ceil(((o + 1) * inSize) / outSize);
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
    const x = coordinate(spec, o);
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
      put(o, 0, first - 1, cubicOuter(t + 1, filter.a));
      put(o, 1, first, cubicInner(t, filter.a));
      put(o, 2, first + 1, cubicInner(1 - t, filter.a));
      put(o, 3, first + 2, cubicOuter(2 - t, filter.a));
    }
  }
  return { inSize, outSize, taps, index, weight, count };
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
  const { step, support } = antialiasSupport(spec, filter);
  const center =
    spec.coordinates.kind === 'align-corners'
      ? step * (o + 0.5)
      : spec.scale === undefined
        ? ((o + 0.5) * inSize) / spec.outSize
        : (o + 0.5) / spec.scale;
  const first = Math.min(Math.max(Math.trunc(center - support + 0.5), 0), inSize - 1);
  const end = Math.max(Math.min(Math.trunc(center + support + 0.5), inSize), first + 1);
  const squeeze = step > 1 ? 1 / step : 1;
  const weights: number[] = [];
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
    weights.push(w);
    sum += w;
  }
  // Zero weights at the ends touch nothing; dropping them keeps a NaN there from spreading.
  while (weights.length > 1 && weights[weights.length - 1] === 0) weights.pop();
  return { first, weights: sum === 0 ? [1] : weights.map((w) => w / sum) };
}

function antialiasSupport(
  spec: AxisSpec,
  filter: { base: 'linear' | 'cubic' },
): { step: number; support: number } {
  const { inSize, outSize } = spec;
  const step =
    spec.coordinates.kind === 'align-corners'
      ? outSize > 1
        ? (inSize - 1) / (outSize - 1)
        : 0
      : spec.scale === undefined
        ? inSize / outSize
        : 1 / spec.scale;
  return { step, support: (filter.base === 'linear' ? 1 : 2) * Math.max(step, 1) };
}

function tapCount(spec: AxisSpec): number {
  const { inSize, outSize, filter } = spec;
  if (filter.kind === 'nearest') return 1;
  if (filter.kind === 'linear') return 2;
  if (filter.kind === 'cubic') return 4;
  let most = 1;
  if (filter.kind === 'antialias') {
    for (let o = 0; o < outSize; o++) most = Math.max(most, antialiasWindow(spec, filter, o).weights.length);
    return most;
  }
  for (let o = 0; o < outSize; o++)
    most = Math.max(most, Math.ceil(((o + 1) * inSize) / outSize) - Math.floor((o * inSize) / outSize));
  return most;
}

function coordinate(spec: AxisSpec, o: number): number {
  const { inSize, outSize, coordinates } = spec;
  if (spec.arithmetic === 'float32') return coordinateInFloat32(spec, o);
  switch (coordinates.kind) {
    case 'half-pixel':
      return spec.scale === undefined ? ((o + 0.5) * inSize) / outSize - 0.5 : (o + 0.5) / spec.scale - 0.5;
    case 'align-corners':
      return outSize === 1 ? 0 : (o * (inSize - 1)) / (outSize - 1);
    case 'asymmetric':
      return spec.scale === undefined ? (o * inSize) / outSize : o / spec.scale;
  }
}

/**
 * PyTorch's arithmetic for `nearest` and `nearest-exact` (ATen/native/UpSample.h, 2.13): the scale is rounded to
 * float32 and so is every product. The half pixel is subtracted again by the rounding rule 'prefer-ceil'.
 */
function coordinateInFloat32({ inSize, outSize, coordinates, scale }: AxisSpec, o: number): number {
  const f = Math.fround;
  const step = scale === undefined ? f(f(inSize) / f(outSize)) : f(1 / scale);
  return coordinates.kind === 'half-pixel' ? f(f(o + 0.5) * step) - 0.5 : f(o * step);
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
