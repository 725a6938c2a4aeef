/**
 * The checkerboard of a layer, from its weights alone.
 *
 * Note [What makes a checkerboard]
 * A transposed convolution of stride s is s^n small convolutions, one per residue of the output position (its phase). On a
 * flat input every phase p gives its own constant G_p·m, G_p being the sum of the phase's kernel elements and m the flat
 * input. If these constants differ the output carries a pattern of period s: the checkerboard. So equal gain of all phases is
 * the verdict (Sugawara, Shiota, Kiya, arXiv 1806.02658), while equal overlap, the kernel divisible by the stride (Odena,
 * Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016), is only a prior: bilinear weights of kernel 5
 * and stride 3 overlap unevenly and are clean, random weights of kernel 4 and stride 2 overlap evenly and are not.
 */
import { finite, knownOptions, type PerAxis, positivePerAxis } from '../check.js';
import { mustBe, refuse } from '../errors.js';
import { windowInSize } from '../plan/window.js';
import type { TensorLike } from '../tensor.js';
import {
  type ExpandingKind,
  type ExpandingLayerOptions,
  LAYER_OPTIONS,
  type Layer,
  layerOf,
  product,
} from './layer.js';
import { decibels, largestSingular, phaseTransform, ratioDb, rowNorm, SILENCE } from './spectral.js';

/** clean: below the limit; structural: uneven overlap; learned: even overlap, uneven weights; holes: phases without a tap. */
export type CheckerboardVerdict = 'clean' | 'structural' | 'learned' | 'holes';

export interface CheckerboardOptions extends ExpandingLayerOptions {
  /** Mean of each input channel, by which the verdict is given. Left out, the worst there is. */
  readonly mean?: ArrayLike<number> | undefined;
  /** The strongest tolerable line at a stride frequency, in dB under DC. Default −40. */
  readonly limit?: number | undefined;
  /** Extent of the input that the overlap map is drawn for. Default: large enough to show all borders. */
  readonly inputSize?: PerAxis | undefined;
}

export const CHECKERBOARD_OPTIONS = [...LAYER_OPTIONS, 'mean', 'limit', 'inputSize'];
export const DEFAULT_LIMIT = -40;

export interface Curve {
  readonly frequency: readonly number[];
  readonly db: readonly number[];
}

/** What analyzeCheckerboard finds. Decibels are amplitudes, 20·log10, within ±200. Phases and bins are row-major. */
export interface CheckerboardReport {
  readonly kind: ExpandingKind;
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** How many kernel elements reach an output: by phase, and over a whole output with its borders. A prior. */
  readonly overlap: {
    readonly phases: readonly number[];
    /** Largest over smallest; Infinity does not occur: with holes it is the largest over 1. */
    readonly ratio: number;
    readonly even: boolean;
    readonly map: { readonly dims: readonly number[]; readonly counts: Int32Array };
  };
  /** Number of phases that no kernel element reaches. */
  readonly holes: number;
  /** Sum of the kernel elements of each phase: [phases, out, in/groups]. */
  readonly gain: { readonly dims: readonly number[]; readonly matrices: Float64Array };
  /** Norm of each phase's output on the flat input of the verdict, relative to the mean over phases: 1 everywhere if clean. */
  readonly phaseGain: readonly number[];
  /** max_p |G_p m − mean_p| / |mean_p| for the mean of the verdict. */
  readonly ripple: number;
  /** σ_max of the stacked deviations (root mean square over phases) over σ_max of the mean matrix: no mean is worse. */
  readonly worstRipple: number;
  /** Whether the verdict is for the given mean or for the worst one. */
  readonly mean: 'given' | 'worst';
  /** Lines at (u/s, v/s) on a flat input, in dB under DC; the first is DC itself, 0. */
  readonly spectrum: { readonly dims: readonly number[]; readonly db: readonly number[] };
  /** The strongest of them. */
  readonly peak: { readonly bin: readonly number[]; readonly db: number };
  /** The strongest image of an input frequency f (cycles per input sample) over the signal itself, per axis; of strides above 32 the 16 nearest images on each side. */
  readonly imageRejection: readonly Curve[];
  /** The layer's own response along each axis, by cycles per output sample, in dB under DC as `spectrum`. */
  readonly response: readonly Curve[];
  /** Σ W² by phase, and the largest over the smallest in dB. */
  readonly energy: { readonly phases: readonly number[]; readonly imbalanceDb: number };
  /** Σ_p |W_p − mean W|² / Σ_p |W_p|²: 0 for ICNR weights, 1 for phases that have nothing in common. */
  readonly icnrDistance: number;
  readonly limit: number;
  readonly verdict: CheckerboardVerdict;
  /** The cheapest remedy, by the name of its function, and why; undefined when clean. */
  readonly remedy: { readonly name: string; readonly text: string } | undefined;
}

/**
 * Analyses one expanding layer: spectrum[u] = |1/P · Σ_p G_p·m · exp(−2πi u·p/s)| over the same for u = 0, with
 * G_p[o, i] = Σ_{k in phase p} weight[i, o, k]. See Note [What makes a checkerboard].
 *
 * Weight (in, out/groups, k…) of convTranspose1d, 2d or 3d, or (out·s^n, in/groups, k…) of a convolution before pixelShuffle
 * (`kind: 'pixel-shuffle'`); float32, float64 or float16. Without `mean` the verdict is for the worst input mean: the one
 * that σ_max of the deviations belongs to, against σ_max of the mean matrix.
 *
 * Throws ArgumentError for wrong ranks, strides, groups and types and for weights that are not finite.
 * Sources: Distill 2016, doi 10.23915/distill.00003 (overlap); arXiv 1806.02658 (phase gain); arXiv 1707.02937 (ICNR).
 */
export function analyzeCheckerboard(weight: TensorLike, options: CheckerboardOptions): CheckerboardReport {
  const op = 'analyzeCheckerboard';
  knownOptions(op, options, CHECKERBOARD_OPTIONS);
  return analyseLayer(op, layerOf(op, weight, options), options);
}

export function analyseLayer(op: string, layer: Layer, options: CheckerboardOptions): CheckerboardReport {
  const { phaseCount: P, outChannels: out, groups } = layer;
  const limit = options.limit === undefined ? DEFAULT_LIMIT : finite(op, 'limit', options.limit);
  const inPerGroup = layer.inChannels / groups;
  const given = options.mean === undefined ? undefined : checkMean(op, options.mean, layer.inChannels);
  const overlap = overlapOf(op, layer, options.inputSize);
  const { gain, energy, icnrDistance } = sums(layer);
  const mean = new Float64Array(out * inPerGroup);
  for (let p = 0; p < P; p++)
    for (let i = 0; i < mean.length; i++) mean[i]! += gain[p * mean.length + i]! / P;
  const deviation = Float64Array.from(gain, (g, i) => g - mean[i % mean.length]!);
  const worst = worstMean(layer, mean, deviation);
  const m = given ?? worst.vector;
  // What each phase makes of the mean: [phases, out].
  const flat = applyGain(layer, gain, m, P);
  const centre = applyGain(layer, mean, m, 1);
  const whole = given === undefined ? worst.meanSigma : norm(centre);
  let ripple = 0;
  const phaseGain: number[] = [];
  for (let p = 0; p < P; p++) {
    let apart = 0;
    let along = 0;
    for (let o = 0; o < out; o++) {
      const y = flat[p * out + o]!;
      apart += (y - centre[o]!) ** 2;
      along += (y - centre[o]!) * centre[o]!;
    }
    ripple = Math.max(ripple, Math.sqrt(apart));
    // Along the mean output where there is one; else the size of what is there.
    const scale = norm(centre) ** 2;
    phaseGain.push(scale > 1e-12 * whole * whole ? 1 + along / scale : Math.sqrt(apart) / (whole || 1));
  }
  const { re, im } = phaseTransform(flat, layer.stride);
  const db: number[] = [];
  let top = P > 1 ? 1 : 0;
  for (let u = 0; u < P; u++) {
    db.push(u === 0 ? 0 : ratioDb(rowNorm(re, im, u, out), whole));
    if (u > 0 && db[u]! > db[top]!) top = u;
  }
  const peak = { bin: unravel(top, layer.stride), db: P > 1 ? db[top]! : SILENCE };
  const holes = overlap.phases.filter((c) => c === 0).length;
  const verdict: CheckerboardVerdict =
    holes > 0 ? 'holes' : peak.db <= limit ? 'clean' : overlap.even ? 'learned' : 'structural';
  const least = Math.min(...energy);
  return {
    kind: layer.kind,
    kernel: layer.givenKernel,
    stride: layer.stride,
    padding: layer.givenPadding,
    dilation: layer.dilation,
    groups,
    inChannels: layer.inChannels,
    outChannels: out,
    overlap,
    holes,
    gain: { dims: [P, out, inPerGroup], matrices: gain },
    phaseGain,
    ripple: ripple === 0 ? 0 : Math.min(ripple / whole, 1e10),
    worstRipple: worst.sigma === 0 ? 0 : Math.min(worst.sigma / worst.meanSigma, 1e10),
    mean: given === undefined ? 'worst' : 'given',
    spectrum: { dims: layer.stride, db },
    peak,
    ...curves(layer, m, whole),
    energy: {
      phases: Array.from(energy),
      imbalanceDb:
        P === 1
          ? 0
          : least === 0
            ? Math.max(...energy) === 0
              ? 0
              : -SILENCE
            : decibels(Math.sqrt(Math.max(...energy) / least)),
    },
    icnrDistance,
    limit,
    verdict,
    remedy: remedyFor(verdict, layer),
  };
}

function remedyFor(verdict: CheckerboardVerdict, layer: Layer): CheckerboardReport['remedy'] {
  const name = 'equalizePhaseGain';
  if (verdict === 'clean') return undefined;
  if (verdict === 'learned')
    return {
      name,
      text: 'equalise the gain of the phases; it costs nothing at run time and keeps the rest of the filter',
    };
  const next = layer.kernel.map((k, i) => nextEvenKernel(k, layer.stride[i]!, layer.dilation[i]!));
  if (verdict === 'structural')
    return {
      name,
      text: `equalise the gain of the phases; before training, take kernel ${next.join('x')}, which overlaps evenly`,
    };
  const apart = layer.dilation.every((d, i) => gcd(d, layer.stride[i]!) === 1);
  return apart
    ? {
        name: 'nextEvenKernel',
        text: `take kernel ${next.join('x')}: a kernel shorter than the stride leaves outputs that nothing reaches`,
      }
    : {
        name: 'dilation',
        text: 'take dilation 1: dilation and stride share a divisor, so some outputs are reached by nothing',
      };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** The smallest kernel from `kernel` on that reaches every phase equally often; undefined if dilation forbids any. */
export function nextEvenKernel(kernel: number, stride: number, dilation = 1): number | undefined {
  return gcd(dilation, stride) === 1 ? Math.ceil(kernel / stride) * stride : undefined;
}

function checkMean(op: string, mean: ArrayLike<number>, channels: number): Float64Array {
  if (mean === null || typeof mean !== 'object' || mean.length !== channels)
    mustBe(op, 'mean', `one number per input channel, ${channels},`, mean);
  const m = Float64Array.from(mean);
  if (!m.every(Number.isFinite)) mustBe(op, 'mean', 'finite numbers', mean);
  if (m.every((v) => v === 0)) mustBe(op, 'mean', 'other than zero in some channel', mean);
  return m;
}

function overlapOf(op: string, layer: Layer, inputSize: PerAxis | undefined): CheckerboardReport['overlap'] {
  const { stride, phases } = layer;
  const n = stride.length;
  const wanted = inputSize === undefined ? undefined : positivePerAxis(op, 'inputSize', inputSize, n);
  let counts = [1];
  const dims: number[] = [];
  const perAxis: Int32Array[] = [];
  for (let a = 0; a < n; a++) {
    counts = counts.flatMap((c) => phases[a]!.map((p) => c * p.taps.length));
    const reach = Math.ceil((layer.kernel[a]! * layer.dilation[a]!) / stride[a]!);
    const window = {
      kernel: layer.kernel[a]!,
      stride: stride[a]!,
      dilation: layer.dilation[a]!,
      padBegin: layer.padding[a]!,
      padEnd: layer.padding[a]!,
    };
    // Padding of a transposed convolution removes outputs: as many more inputs are shown.
    const least = Math.ceil((2 * Math.max(layer.padding[a]!, 0)) / stride[a]!);
    const inSize = wanted?.[a] ?? Math.max(4, 2 * reach + 1, least + 3);
    // What a transposed convolution puts out is what a convolution would take in.
    const outSize = windowInSize(inSize, window) + layer.outputPadding[a]!;
    if (outSize < 1)
      refuse(
        op,
        'padding',
        `padding must leave an output, got ${layer.givenPadding[a]} for an input of ${inSize}`,
      );
    if (outSize > 1 << 24)
      refuse(op, 'inputSize', `inputSize must give outputs up to ${1 << 24}, got ${inSize}`);
    dims.push(outSize);
    perAxis.push(
      Int32Array.from({ length: outSize }, (_, o) => {
        const p = o % stride[a]!;
        const q = (o - p) / stride[a]!;
        let c = 0;
        for (const t of phases[a]![p]!.taps) if (q + t.offset >= 0 && q + t.offset < inSize) c++;
        return c;
      }),
    );
  }
  if (product(dims) > 1 << 24)
    refuse(
      op,
      'inputSize',
      `inputSize must give an overlap map of up to ${1 << 24} outputs, got [${dims.join(', ')}]`,
    );
  let map = Int32Array.of(1);
  for (const axis of perAxis) {
    const next = new Int32Array(map.length * axis.length);
    for (let i = 0; i < map.length; i++)
      for (let j = 0; j < axis.length; j++) next[i * axis.length + j] = map[i]! * axis[j]!;
    map = next;
  }
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  const least = counts.reduce((a, b) => Math.min(a, b), most);
  return {
    phases: counts,
    ratio: most / Math.max(least, 1),
    even: most === least,
    map: { dims, counts: map },
  };
}

/** One pass over the weights: gains, energies, and the distance to equal sub-kernels. */
function sums(layer: Layer): { gain: Float64Array; energy: Float64Array; icnrDistance: number } {
  const { values, taps, phaseOf, slotOf, slots, phaseCount: P, groups, inChannels, outChannels } = layer;
  const inPerGroup = inChannels / groups;
  const outPerGroup = outChannels / groups;
  const gain = new Float64Array(P * outChannels * inPerGroup);
  const plane = outChannels * inPerGroup;
  const energy = new Float64Array(P);
  const slotSum = new Float64Array(slots);
  let common = 0;
  let at = 0;
  for (let i = 0; i < inChannels; i++) {
    const g = Math.floor(i / inPerGroup);
    for (let o = 0; o < outPerGroup; o++) {
      const cell = (g * outPerGroup + o) * inPerGroup + (i - g * inPerGroup);
      slotSum.fill(0);
      for (let k = 0; k < taps; k++) {
        const v = values[at++]!;
        const p = phaseOf[k]!;
        gain[p * plane + cell]! += v;
        energy[p]! += v * v;
        slotSum[slotOf[k]!]! += v;
      }
      for (let j = 0; j < slots; j++) common += slotSum[j]! * slotSum[j]!;
    }
  }
  const all = energy.reduce((a, b) => a + b, 0);
  return { gain, energy, icnrDistance: all === 0 ? 0 : Math.max(0, 1 - common / P / all) };
}

/** The input mean that the deviations amplify most, among unit vectors; and how much the mean matrix amplifies at most. */
function worstMean(layer: Layer, mean: Float64Array, deviation: Float64Array) {
  const { groups, phaseCount: P, outChannels, inChannels } = layer;
  const columns = inChannels / groups;
  const perGroup = outChannels / groups;
  const vector = new Float64Array(inChannels);
  let sigma = -1;
  let meanSigma = 0;
  for (let g = 0; g < groups; g++) {
    const rows = Array.from({ length: perGroup }, (_, o) => (g * perGroup + o) * columns);
    meanSigma = Math.max(meanSigma, largestSingular({ data: mean, starts: rows, columns }).sigma);
    const stacked = Array.from({ length: P }, (_, p) => rows.map((r) => p * mean.length + r)).flat();
    const found = largestSingular({ data: deviation, starts: stacked, columns });
    if (found.sigma > sigma) {
      sigma = found.sigma;
      vector.fill(0).set(found.vector, g * columns);
    }
  }
  return { sigma: sigma / Math.sqrt(P), meanSigma, vector };
}

/** [rows of matrices, out]: every phase's matrix applied to the input mean. */
function applyGain(layer: Layer, gain: Float64Array, m: Float64Array, phases: number): Float64Array {
  const { outChannels: out, groups } = layer;
  const columns = layer.inChannels / groups;
  const perGroup = out / groups;
  const y = new Float64Array(phases * out);
  for (let r = 0; r < y.length; r++) {
    const first = Math.floor((r % out) / perGroup) * columns;
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += gain[r * columns + i]! * m[first + i]!;
    y[r] = sum;
  }
  return y;
}

const FREQUENCIES = 33;
const NEAREST_IMAGES = 16;

/**
 * Along each axis, the other axes at frequency 0, for inputs in proportion m: max_{j ≥ 1} |H((f + j)/s)| / |H(f/s)| over input
 * frequencies, and |H| itself over output frequencies, against `whole` as the spectrum is.
 */
function curves(
  layer: Layer,
  m: Float64Array,
  whole: number,
): Pick<CheckerboardReport, 'imageRejection' | 'response'> {
  const { outChannels: out, kernel, stride, dilation, phaseCount: P } = layer;
  const projected = projectInputs(layer, m);
  const imageRejection: Curve[] = [];
  const response: Curve[] = [];
  for (const [a, k] of kernel.entries()) {
    const below = product(kernel.slice(a + 1));
    // h[out, k]: the kernel summed over the other axes.
    const h = new Float64Array(out * k);
    for (let o = 0; o < out; o++)
      for (let t = 0; t < layer.taps; t++)
        h[o * k + (Math.floor(t / below) % k)]! += projected[o * layer.taps + t]!;
    const s = stride[a]!;
    const at = (cycles: number): number => {
      let sum = 0;
      const c = Array.from({ length: k }, (_, t) => Math.cos(2 * Math.PI * cycles * t * dilation[a]!));
      const d = Array.from({ length: k }, (_, t) => Math.sin(2 * Math.PI * cycles * t * dilation[a]!));
      for (let o = 0; o < out; o++) {
        let re = 0;
        let im = 0;
        for (let t = 0; t < k; t++) {
          re += h[o * k + t]! * c[t]!;
          im += h[o * k + t]! * d[t]!;
        }
        sum += re * re + im * im;
      }
      return Math.sqrt(sum);
    };
    const frequency = Array.from({ length: FREQUENCIES }, (_, f) => (0.5 * f) / (FREQUENCIES - 1));
    imageRejection.push({
      frequency,
      db: frequency.map((f) => {
        let image = 0;
        // Of very many images the nearest on both sides are the strong ones.
        for (let j = 1; j < s; j++)
          if (Math.min(j, s - j) <= NEAREST_IMAGES) image = Math.max(image, at((f + j) / s));
        return ratioDb(image, at(f / s));
      }),
    });
    response.push({ frequency, db: frequency.map((f) => ratioDb(at(f), P * whole)) });
  }
  return { imageRejection, response };
}

/** [out, kernel…]: what the layer is for inputs in proportion m. */
export function projectInputs(layer: Layer, m: Float64Array): Float64Array {
  const { values, taps, groups, inChannels, outChannels } = layer;
  const inPerGroup = inChannels / groups;
  const outPerGroup = outChannels / groups;
  const h = new Float64Array(outChannels * taps);
  let at = 0;
  for (let i = 0; i < inChannels; i++) {
    const g = Math.floor(i / inPerGroup);
    const scale = m[i]!;
    for (let o = 0; o < outPerGroup; o++) {
      const to = (g * outPerGroup + o) * taps;
      for (let k = 0; k < taps; k++) h[to + k]! += scale * values[at++]!;
    }
  }
  return h;
}

const norm = (v: Float64Array): number => Math.sqrt(v.reduce((a, b) => a + b * b, 0));

function unravel(index: number, dims: readonly number[]): number[] {
  const out = new Array<number>(dims.length);
  let rest = index;
  for (let a = dims.length - 1; a >= 0; a--) {
    out[a] = rest % dims[a]!;
    rest = Math.floor(rest / dims[a]!);
  }
  return out;
}
