/** Remedies for the checkerboard of a trained or fresh layer; each is measured by analysing its result again. */
import { knownOptions, oneOf } from '../check.js';
import { refuse } from '../errors.js';
import { axisTaps } from '../plan/axis.js';
import { allocate, type Tensor, type TensorLike } from '../tensor.js';
import {
  analyseLayer,
  CHECKERBOARD_OPTIONS,
  type CheckerboardOptions,
  type CheckerboardReport,
  nextEvenKernel,
} from './checkerboard.js';
import { bilinearWeights } from './initialisers.js';
import {
  type ExpandingLayerOptions,
  LAYER_OPTIONS,
  type Layer,
  layerOf,
  product,
  weightFrom,
} from './layer.js';
import { decibels } from './spectral.js';

export interface EqualizeOptions extends ExpandingLayerOptions {
  /** additive (default): a constant to each phase. scale: a factor to each phase, which needs a gain to scale. */
  readonly method?: 'additive' | 'scale' | undefined;
}

/**
 * A weight whose phases all have the same gain: W_p ← W_p + (mean_q G_q − G_p) / n_p (additive, n_p elements in phase p), or
 * W_p ← W_p · mean_q G_q / G_p (scale), for every pair of channels. So the lines at the stride frequencies vanish on any flat
 * input, up to the rounding of the weight's type; everything else of the filter stays.
 *
 * Weight and options as for `analyzeCheckerboard`; the result has the dims and the type of the weight.
 * Throws ArgumentError also for phases without elements (holes), and with method 'scale' for phases of gain 0.
 * Source: the condition of arXiv 1806.02658, met by the smallest change of the weight (additive).
 */
export function equalizePhaseGain(weight: TensorLike, options: EqualizeOptions): Tensor {
  const op = 'equalizePhaseGain';
  knownOptions(op, options, [...LAYER_OPTIONS, 'method']);
  const method =
    options.method === undefined
      ? 'additive'
      : oneOf(op, 'method', options.method, ['additive', 'scale'] as const);
  const layer = layerOf(op, weight, options);
  const { taps, phaseOf, phaseCount: P } = layer;
  const size = new Int32Array(P);
  for (const p of phaseOf) size[p]!++;
  const hole = size.indexOf(0);
  if (hole >= 0)
    refuse(op, 'weight', `weight must reach every phase, but none of its elements reaches phase ${hole}`);
  const out = Float64Array.from(layer.values);
  const gain = new Float64Array(P);
  for (let at = 0; at < out.length; at += taps) {
    gain.fill(0);
    for (let k = 0; k < taps; k++) gain[phaseOf[k]!]! += out[at + k]!;
    let mean = 0;
    for (const g of gain) mean += g / P;
    for (let k = 0; k < taps; k++) {
      const p = phaseOf[k]!;
      if (method === 'additive') out[at + k]! += (mean - gain[p]!) / size[p]!;
      else if (gain[p] !== 0) out[at + k]! *= mean / gain[p]!;
      else if (mean !== 0)
        refuse(
          op,
          'method',
          `method scale needs a gain in every phase, but phase ${p} has none; take method additive`,
        );
    }
  }
  return weightFrom(op, layer, out);
}

/**
 * The nearest ICNR weight: W_p ← mean_q W_q, sub-kernel by sub-kernel, which is the orthogonal projection. The phases become
 * the same, so the layer is nearest-neighbour resizing and a convolution; detail finer than an input pixel is lost.
 *
 * Throws ArgumentError also if the kernel is not divisible by the stride, as sub-kernels then differ in size.
 * Source: arXiv 1707.02937.
 */
export function projectIcnr(weight: TensorLike, options: ExpandingLayerOptions): Tensor {
  const op = 'projectIcnr';
  knownOptions(op, options, LAYER_OPTIONS);
  const layer = layerOf(op, weight, options);
  const { taps, slotOf, slots, phaseCount: P, kernel, stride } = layer;
  if (kernel.some((k, i) => k % stride[i]! !== 0) || taps !== slots * P)
    refuse(
      op,
      'weight.dims',
      `weight must have a kernel divisible by the stride, got ${kernel.join('x')} and ${stride.join('x')}`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const out = Float64Array.from(layer.values);
  const mean = new Float64Array(slots);
  for (let at = 0; at < out.length; at += taps) {
    mean.fill(0);
    for (let k = 0; k < taps; k++) mean[slotOf[k]!]! += out[at + k]! / P;
    for (let k = 0; k < taps; k++) out[at + k] = mean[slotOf[k]!]!;
  }
  return weightFrom(op, layer, out);
}

/** A weight with the layer that it belongs to. */
export interface RewrittenLayer {
  readonly weight: Tensor;
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly outputPadding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/**
 * The layer followed by a mean over s outputs along each axis, as one transposed convolution: W′ = W ∗ box_s / s^n, of kernel
 * d·(k − 1) + s and padding raised by ⌈(s − 1)/2⌉. The box has zeros at all stride frequencies, so the result is clean whatever
 * the weight, holes included; it also blurs. Output extents stay the same.
 *
 * Throws ArgumentError as `analyzeCheckerboard`, and for kind 'pixel-shuffle', which no longer is one afterwards.
 * Source: arXiv 1806.02658 (the zero-order hold); fastai's PixelShuffle_ICNR blurs likewise.
 */
export function appendBoxFilter(weight: TensorLike, options: ExpandingLayerOptions): RewrittenLayer {
  const op = 'appendBoxFilter';
  knownOptions(op, options, LAYER_OPTIONS);
  const layer = layerOf(op, weight, options);
  if (layer.kind === 'pixel-shuffle')
    refuse(
      op,
      'kind',
      'kind must be conv-transpose, got "pixel-shuffle": average its output with avgPool2d instead',
    );
  const { stride, dilation, kernel, inChannels } = layer;
  const outPerGroup = layer.outChannels / layer.groups;
  let dims = [inChannels * outPerGroup, ...kernel];
  let values = Float64Array.from(layer.values);
  for (let a = 1; a < dims.length; a++) {
    const s = stride[a - 1]!;
    const d = dilation[a - 1]!;
    const k = dims[a]!;
    const wide = (k - 1) * d + s;
    const box = new Float64Array(wide * k);
    for (let j = 0; j < k; j++) for (let i = 0; i < s; i++) box[(j * d + i) * k + j]! += 1 / s;
    ({ values, dims } = alongAxis(values, dims, a, box, wide));
  }
  const out = allocate(op, layer.type, [inChannels, outPerGroup, ...dims.slice(1)]);
  const padding = layer.padding.map((p, i) => p + Math.ceil((stride[i]! - 1) / 2));
  // An even stride takes one output too many from both sides together.
  const outputPadding = layer.outputPadding.map((p, i) => p + (stride[i]! % 2 === 0 ? 1 : 0));
  for (const [i, p] of outputPadding.entries())
    if (p >= stride[i]! && stride[i]! > 1)
      refuse(
        op,
        'outputPadding',
        `outputPadding must leave room for one more below the stride, got [${layer.outputPadding.join(', ')}]`,
      );
  const tensor = weightFrom(op, { ...layer, dims: out.dims, source: undefined }, values);
  return {
    weight: tensor,
    stride,
    padding,
    outputPadding,
    dilation: dilation.map(() => 1),
    groups: layer.groups,
  };
}

/** A matrix [rows, dims[axis]] applied along one axis. */
function alongAxis(
  values: Float64Array,
  dims: readonly number[],
  axis: number,
  matrix: Float64Array,
  rows: number,
) {
  const k = dims[axis]!;
  const inner = product(dims.slice(axis + 1));
  const outer = product(dims.slice(0, axis));
  const out = new Float64Array(outer * rows * inner);
  for (let o = 0; o < outer; o++)
    for (let r = 0; r < rows; r++)
      for (let j = 0; j < k; j++) {
        const w = matrix[r * k + j]!;
        if (w === 0) continue;
        const from = (o * k + j) * inner;
        const to = (o * rows + r) * inner;
        for (let i = 0; i < inner; i++) out[to + i]! += w * values[from + i]!;
      }
  return { values: out, dims: dims.map((d, a) => (a === axis ? rows : d)) };
}

/** The rewrite solves a system as large as the kernel along each axis. */
const MOST_REWRITTEN = 256;

export interface ResizeConvRewrite {
  /** (out, in/groups, k…), for resizeConv2d. */
  readonly weight: Tensor;
  readonly scaleFactor: readonly number[];
  readonly padding: readonly number[];
  readonly mode: 'nearest' | 'bilinear';
  readonly groups: number;
  /** |W − resize ∗ K| / |W| over the whole kernel, and in dB: what the rewrite cannot say. */
  readonly error: number;
  readonly errorDb: number;
}

export interface ToResizeConvOptions extends ExpandingLayerOptions {
  /** Default 'nearest'. */
  readonly mode?: 'nearest' | 'bilinear' | undefined;
}

/**
 * The resize-convolution nearest to a layer: the kernel K that minimises |W − R ∗ K|², R being what one input pixel becomes when
 * it is resized. For `resizeConv2d` with stride's factor; its output has input·stride extents. Resize-convolutions have no
 * checkerboard by construction; `error` tells how much of the layer they cannot express.
 *
 * The kernel is the smallest odd one that covers the layer's. Interior outputs differ by `error`; with mode 'bilinear' the
 * border differs besides, as interpolation repeats the border and a transposed convolution has nothing beyond it.
 *
 * Throws ArgumentError as `analyzeCheckerboard`, for dilation other than 1, and for kernels above 256.
 * Source: Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016.
 */
export function toResizeConv(weight: TensorLike, options: ToResizeConvOptions): ResizeConvRewrite {
  const op = 'toResizeConv';
  knownOptions(op, options, [...LAYER_OPTIONS, 'mode']);
  const mode =
    options.mode === undefined
      ? 'nearest'
      : oneOf(op, 'mode', options.mode, ['nearest', 'bilinear'] as const);
  const layer = layerOf(op, weight, options);
  if (layer.dilation.some((d) => d !== 1))
    refuse(op, 'dilation', `dilation must be 1, got [${layer.dilation.join(', ')}]`);
  const { kernel, stride, inChannels, groups } = layer;
  if (kernel.some((k) => k > MOST_REWRITTEN))
    refuse(
      op,
      'weight.dims',
      `weight must have a kernel of at most ${MOST_REWRITTEN} to be rewritten, got ${kernel.join('x')}`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const outPerGroup = layer.outChannels / groups;
  let dims = [inChannels * outPerGroup, ...kernel];
  let values = Float64Array.from(layer.values);
  let whole = 0;
  for (const v of values) whole += v * v;
  const padding: number[] = [];
  for (let a = 1; a < dims.length; a++) {
    const k = dims[a]!;
    const pad = layer.padding[a - 1]!;
    // A convolution with K reaches τ from −c to s − 1 + c around the resized pixel, so c covers the layer's −pad … k − 1 − pad.
    const c = Math.max(pad, k - stride[a - 1]! - pad, 0);
    const size = 2 * c + 1;
    const { R, place, rows } = matricesOf(layer, a - 1, c, mode);
    ({ values, dims } = alongAxis(values, dims, a, pseudoInverse(R, place, rows, size, k), size));
    padding.push(c);
  }
  const energy = residualEnergy(layer, values, dims, mode, padding);
  const tensor = allocate(op, layer.type, [layer.outChannels, inChannels / groups, ...dims.slice(1)]);
  const turned = new Float64Array(values.length);
  const inner = product(dims.slice(1));
  const inPerGroup = inChannels / groups;
  for (let i = 0; i < inChannels; i++)
    for (let o = 0; o < outPerGroup; o++) {
      const g = Math.floor(i / inPerGroup);
      const to = ((g * outPerGroup + o) * inPerGroup + (i % inPerGroup)) * inner;
      const from = (i * outPerGroup + o) * inner;
      // conv2d correlates: the kernel is turned around.
      for (let k = 0; k < inner; k++) turned[to + k] = values[from + inner - 1 - k]!;
    }
  const error = whole === 0 ? 0 : Math.sqrt(Math.max(energy, 0) / whole);
  return {
    weight: weightFrom(op, { ...layer, dims: tensor.dims, source: undefined }, turned),
    scaleFactor: stride,
    padding,
    mode,
    groups,
    error,
    errorDb: decibels(error),
  };
}

/** What one input pixel becomes by resizing, far from borders: weights from offset `first` (in outputs) of its own cell. */
function resizedPixel(s: number, mode: 'nearest' | 'bilinear'): { first: number; weight: number[] } {
  const inSize = 5;
  const taps = axisTaps({
    inSize,
    outSize: inSize * s,
    coordinates: { kind: mode === 'nearest' ? 'asymmetric' : 'half-pixel' },
    filter: mode === 'nearest' ? { kind: 'nearest', rounding: 'floor' } : { kind: 'linear' },
    precision: 'float64',
  });
  const response = new Array<number>(taps.outSize).fill(0);
  for (let o = 0; o < taps.outSize; o++)
    for (let k = 0; k < taps.count[o]!; k++)
      if (taps.index[k * taps.outSize + o] === 2) response[o]! += taps.weight[k * taps.outSize + o]!;
  const first = response.findIndex((w) => w !== 0);
  const last = response.findLastIndex((w) => w !== 0);
  return { first: first - 2 * s, weight: response.slice(first, last + 1) };
}

/**
 * Along one axis, over all offsets τ that either reaches: R[τ, j] is what element j of the turned kernel puts at τ through a
 * resized pixel, place[τ, t] puts element t of the layer's kernel there.
 */
function matricesOf(layer: Layer, axis: number, c: number, mode: 'nearest' | 'bilinear') {
  const k = layer.kernel[axis]!;
  const pad = layer.padding[axis]!;
  const size = 2 * c + 1;
  const resized = resizedPixel(layer.stride[axis]!, mode);
  const low = Math.min(-pad, resized.first - c);
  const high = Math.max(k - 1 - pad, resized.first + resized.weight.length - 1 + c);
  const rows = high - low + 1;
  const R = new Float64Array(rows * size);
  for (let j = 0; j < size; j++)
    for (const [t, w] of resized.weight.entries()) R[(resized.first + t + j - c - low) * size + j] = w;
  const place = new Float64Array(rows * k);
  for (let t = 0; t < k; t++) place[(t - pad - low) * k + t] = 1;
  return { R, place, rows };
}

/** (RᵀR)⁻¹ Rᵀ P, [size, k], by Cholesky; R has full column rank as its columns are shifts of one sequence. */
function pseudoInverse(
  R: Float64Array,
  P: Float64Array,
  rows: number,
  size: number,
  k: number,
): Float64Array {
  const L = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let r = 0; r < rows; r++) sum += R[r * size + i]! * R[r * size + j]!;
      for (let t = 0; t < j; t++) sum -= L[i * size + t]! * L[j * size + t]!;
      L[i * size + j] = i === j ? Math.sqrt(sum) : sum / L[j * size + j]!;
    }
  const out = new Float64Array(size * k);
  for (let c = 0; c < k; c++) {
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let r = 0; r < rows; r++) sum += R[r * size + i]! * P[r * k + c]!;
      for (let t = 0; t < i; t++) sum -= L[i * size + t]! * out[t * k + c]!;
      out[i * k + c] = sum / L[i * size + i]!;
    }
    for (let i = size - 1; i >= 0; i--) {
      let sum = out[i * k + c]!;
      for (let t = i + 1; t < size; t++) sum -= L[t * size + i]! * out[t * k + c]!;
      out[i * k + c] = sum / L[i * size + i]!;
    }
  }
  return out;
}

/** |W − R ∗ K|² over all offsets that either reaches. */
function residualEnergy(
  layer: Layer,
  kernel: Float64Array,
  kernelDims: readonly number[],
  mode: 'nearest' | 'bilinear',
  padding: readonly number[],
): number {
  let said = { values: kernel, dims: kernelDims };
  let wanted = { values: Float64Array.from(layer.values), dims: [kernelDims[0]!, ...layer.kernel] };
  for (let a = 1; a < kernelDims.length; a++) {
    const { R, place, rows } = matricesOf(layer, a - 1, padding[a - 1]!, mode);
    said = alongAxis(said.values, said.dims, a, R, rows);
    wanted = alongAxis(wanted.values, wanted.dims, a, place, rows);
  }
  let energy = 0;
  for (let i = 0; i < wanted.values.length; i++) energy += (wanted.values[i]! - said.values[i]!) ** 2;
  return energy;
}

/** What a remedy makes of a layer. */
export interface Remedy {
  readonly name: 'equalizePhaseGain' | 'icnr' | 'bilinear' | 'box filter' | 'toResizeConv' | 'next kernel';
  /** What it costs: 'none', work at run time, or training again. */
  readonly cost: 'none' | 'run time' | 'training';
  readonly text: string;
  /** The strongest line after it, in dB under DC, measured by analysing the result. */
  readonly peakDb: number;
  readonly verdict: CheckerboardReport['verdict'];
  /** |W − W′| / |W|, where the remedy keeps the shape of the weight; the error of the rewrite for toResizeConv. */
  readonly change: number | undefined;
}

/**
 * Every remedy that applies to a layer, the cheapest first, each measured by analysing what it makes.
 * Weight, options and errors as for `analyzeCheckerboard`.
 */
export function checkerboardRemedies(weight: TensorLike, options: CheckerboardOptions): Remedy[] {
  const op = 'checkerboardRemedies';
  knownOptions(op, options, CHECKERBOARD_OPTIONS);
  const layer = layerOf(op, weight, options);
  const around = Object.fromEntries(
    LAYER_OPTIONS.map((k) => [k, options[k as keyof CheckerboardOptions]]).filter(([, v]) => v !== undefined),
  ) as unknown as ExpandingLayerOptions;
  const found: Remedy[] = [];
  const measured = (
    name: Remedy['name'],
    cost: Remedy['cost'],
    text: string,
    after: TensorLike,
    change: number | undefined,
    l = around,
  ) => {
    const report = analyseLayer(op, layerOf(op, after, l), { ...options, ...l });
    found.push({ name, cost, text, peakDb: report.peak.db, verdict: report.verdict, change });
  };
  const changeTo = (after: Tensor) => relativeChange(layer, layerOf(op, after, around));
  const holes = new Set(layer.phaseOf).size < layer.phaseCount;
  const divisible = layer.kernel.every((k, i) => k % layer.stride[i]! === 0 && layer.dilation[i] === 1);
  if (!holes) {
    const even = equalizePhaseGain(weight, around);
    measured(
      'equalizePhaseGain',
      'none',
      'a constant added to each phase; keeps the rest of the filter',
      even,
      changeTo(even),
    );
  }
  if (layer.kind === 'conv-transpose' && layer.outputPadding.every((p, i) => p + 1 < layer.stride[i]!)) {
    const box = appendBoxFilter(weight, around);
    const { weight: after, ...rest } = box;
    measured(
      'box filter',
      'run time',
      `a mean over ${layer.stride.join('x')} outputs, as a kernel of ${after.dims.slice(2).join('x')}`,
      after,
      undefined,
      rest,
    );
  }
  if (layer.dilation.every((d) => d === 1) && layer.kernel.every((k) => k <= MOST_REWRITTEN)) {
    const { weight: K, padding, error } = toResizeConv(weight, around);
    const width = K.dims.slice(2);
    // A resize-convolution is a transposed convolution with equal phases: its kernel repeated by the resize.
    const peakDb = resizeConvPeak(op, layer, K, options);
    found.push({
      name: 'toResizeConv',
      cost: 'run time',
      text: `nearest resize and a convolution of ${width.join('x')}, padding ${padding.join('x')}`,
      peakDb,
      verdict: peakDb <= (options.limit ?? -40) ? 'clean' : 'learned',
      change: error,
    });
  }
  if (divisible && !holes) {
    const equal = projectIcnr(weight, around);
    measured('icnr', 'training', 'equal sub-kernels, a start for training', equal, changeTo(equal));
  }
  if (layer.kind === 'conv-transpose' && layer.dilation.every((d) => d === 1) && !holes) {
    const start = bilinearLike(layer);
    if (start !== undefined)
      measured('bilinear', 'training', 'bilinear weights, a start for training', start, changeTo(start));
  }
  const next = layer.givenKernel.map((k, i) => nextEvenKernel(k, layer.stride[i]!, layer.dilation[i]!));
  if (
    layer.kind === 'conv-transpose' &&
    next.some((k, i) => k !== layer.kernel[i]) &&
    next.every((k) => k !== undefined)
  ) {
    const ones = allocate(op, 'float32', [1, 1, ...(next as number[])]);
    ones.data.fill(1 as never);
    measured(
      'next kernel',
      'training',
      `kernel ${next.join('x')} overlaps evenly (measured with equal weights)`,
      ones,
      undefined,
      { stride: layer.stride, dilation: layer.dilation },
    );
  }
  return found;
}

/** Bilinear weights in the place of a layer's: diagonal over its channels; undefined where there is no diagonal. */
export function bilinearLike(layer: Layer): Tensor | undefined {
  const { inChannels, outChannels, groups, kernel, stride, type } = layer;
  if (
    inChannels !== outChannels ||
    (groups !== 1 && groups !== inChannels) ||
    layer.kind !== 'conv-transpose'
  )
    return undefined;
  return bilinearWeights({
    stride,
    kernelSize: kernel,
    channels: inChannels,
    groups,
    type: type as 'float32',
  });
}

function relativeChange(before: Layer, after: Layer): number {
  let change = 0;
  let whole = 0;
  for (let i = 0; i < before.values.length; i++) {
    change += (after.values[i]! - before.values[i]!) ** 2;
    whole += before.values[i]! ** 2;
  }
  return whole === 0 ? 0 : Math.sqrt(change / whole);
}

/** The strongest line of nearest resize and a convolution with K, as the transposed convolution that it equals. */
function resizeConvPeak(op: string, layer: Layer, K: Tensor, options: CheckerboardOptions): number {
  const kernel = K.dims.slice(2);
  let dims = [K.dims[0]! * K.dims[1]!, ...kernel];
  let values: Float64Array = Float64Array.from(layerOf(op, K, { stride: layer.stride.map(() => 1) }).values);
  for (let a = 1; a < dims.length; a++) {
    const s = layer.stride[a - 1]!;
    const k = dims[a]!;
    const wide = k + s - 1;
    const hold = new Float64Array(wide * k);
    for (let j = 0; j < k; j++) for (let r = 0; r < s; r++) hold[(k - 1 - j + r) * k + j] = 1;
    ({ values, dims } = alongAxis(values, dims, a, hold, wide));
  }
  const inPerGroup = K.dims[1]!;
  const outPerGroup = K.dims[0]! / layer.groups;
  const taps = product(dims.slice(1));
  const turned = new Float64Array(values.length);
  for (let o = 0; o < K.dims[0]!; o++)
    for (let i = 0; i < inPerGroup; i++) {
      const g = Math.floor(o / outPerGroup);
      const to = ((g * inPerGroup + i) * outPerGroup + (o % outPerGroup)) * taps;
      turned.set(values.subarray((o * inPerGroup + i) * taps, (o * inPerGroup + i + 1) * taps), to);
    }
  const whole = { data: turned, dims: [layer.inChannels, outPerGroup, ...dims.slice(1)] };
  const l = { stride: layer.stride, groups: layer.groups };
  return analyseLayer(op, layerOf(op, whole, l), { ...l, mean: options.mean, limit: options.limit }).peak.db;
}
