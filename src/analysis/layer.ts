/**
 * A layer that expands, as the analysis reads it: always a transposed convolution, its phases taken from the plan.
 *
 * Note [Pixel shuffle as a transposed convolution]
 * A convolution to C·s² channels followed by pixelShuffle(s) puts Σ_k W[c·s² + p, k] · in[q + k − pad] at output s·q + p.
 * That is a transposed convolution of stride s whose kernel of K·s elements holds W[c·s² + p, k] at p + (K − 1 − k)·s, with
 * padding (K − 1 − pad)·s. So one analysis serves both.
 */
import { countPerAxis, oneOf, type PerAxis, positiveInt, positivePerAxis } from '../check.js';
import { mustBe, refuse } from '../errors.js';
import { fromHalf, toHalf } from '../half.js';
import { type AxisPhase, axisPhases } from '../plan/window.js';
import { allocate, asTensor, type DataType, type Tensor, type TensorLike } from '../tensor.js';

export type ExpandingKind = 'conv-transpose' | 'pixel-shuffle';

/** The layer around a weight. */
export interface ExpandingLayerOptions {
  /** What the weight belongs to: convTranspose (in, out/groups, k…), or conv + pixelShuffle (out·s², in/groups, k…). */
  readonly kind?: ExpandingKind | undefined;
  /** Stride of the transposed convolution, or the factor of the shuffle; one number or one per axis. */
  readonly stride: PerAxis;
  /** Default 0. */
  readonly padding?: PerAxis | undefined;
  /** Default 0; 'conv-transpose' only. */
  readonly outputPadding?: PerAxis | undefined;
  /** Default 1; 'conv-transpose' only. */
  readonly dilation?: PerAxis | undefined;
  /** Default 1. */
  readonly groups?: number | undefined;
}

export const LAYER_OPTIONS = ['kind', 'stride', 'padding', 'outputPadding', 'dilation', 'groups'];

/** A checked layer with its weight in the order of a transposed convolution: [in, out/groups, kernel…]. */
export interface Layer {
  readonly kind: ExpandingKind;
  readonly type: DataType;
  /** Dims of the weight as it was given. */
  readonly dims: readonly number[];
  /** Kernel of the transposed convolution, and of the layer as it was given. */
  readonly kernel: readonly number[];
  readonly givenKernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly givenPadding: readonly number[];
  readonly outputPadding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** One list of phases per axis, of the output as it is padded. */
  readonly phases: readonly (readonly AxisPhase[])[];
  /** Number of kernel elements and of phases over all axes. */
  readonly taps: number;
  readonly phaseCount: number;
  /** The phase that each kernel element belongs to, and its place among the elements of its phase. */
  readonly phaseOf: Int32Array;
  readonly slotOf: Int32Array;
  readonly slots: number;
  readonly values: Float32Array | Float64Array;
  /** Position of every value in the weight as it was given; undefined where they are the same. */
  readonly source: Int32Array | undefined;
}

/** Beyond this many phases nothing is a layer any more. */
const MAX_PHASES = 1 << 16;
const FLOATS: readonly DataType[] = ['float32', 'float64', 'float16'];

export const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);

/** Checks a weight and its layer; nothing non-finite passes. */
export function layerOf(op: string, weight: TensorLike, options: ExpandingLayerOptions): Layer {
  const w = asTensor(op, 'weight', weight);
  if (!FLOATS.includes(w.type))
    mustBe(op, 'weight.type', `one of ${FLOATS.join(', ')}`, w.type, 'ERR_UPSAMPLING_TYPE');
  if (w.dims.length < 3 || w.dims.length > 5)
    refuse(
      op,
      'weight.dims',
      `weight must have 3 to 5 dimensions, got [${w.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  if (w.dims.includes(0))
    refuse(
      op,
      'weight.dims',
      `weight must have no empty axis, got [${w.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const n = w.dims.length - 2;
  const kind =
    options.kind === undefined
      ? 'conv-transpose'
      : oneOf(op, 'kind', options.kind, ['conv-transpose', 'pixel-shuffle'] as const);
  const stride = positivePerAxis(op, 'stride', options.stride, n);
  const givenPadding = countPerAxis(op, 'padding', options.padding ?? 0, n);
  const dilation = positivePerAxis(op, 'dilation', options.dilation ?? 1, n);
  const outputPadding = countPerAxis(op, 'outputPadding', options.outputPadding ?? 0, n);
  const groups = positiveInt(op, 'groups', options.groups ?? 1);
  const phaseCount = product(stride);
  if (phaseCount > MAX_PHASES)
    refuse(op, 'stride', `stride must give at most ${MAX_PHASES} phases, got [${stride.join(', ')}]`);
  const given = w.dims.slice(2);
  const [first, second] = w.dims as [number, number];
  if (first % groups !== 0)
    refuse(
      op,
      'groups',
      `groups must divide the first extent of the weight, got ${groups} for [${w.dims.join(', ')}]`,
    );
  const values = readValues(op, w);
  const common = {
    kind,
    type: w.type,
    dims: w.dims,
    givenKernel: given,
    givenPadding,
    stride,
    dilation,
    outputPadding,
    groups,
    phaseCount,
  };
  if (kind === 'conv-transpose') {
    for (const [i, p] of outputPadding.entries())
      if (p >= Math.max(stride[i]!, dilation[i]!))
        refuse(
          op,
          'outputPadding',
          `outputPadding must be smaller than stride or dilation, got [${outputPadding.join(', ')}]`,
        );
    const geometry = geometryOf(given, stride, dilation, givenPadding);
    return {
      ...common,
      ...geometry,
      kernel: given,
      padding: givenPadding,
      inChannels: first,
      outChannels: second * groups,
      values,
      source: undefined,
    };
  }
  if (dilation.some((d) => d !== 1))
    refuse(op, 'dilation', 'dilation must be left out with kind pixel-shuffle');
  if (outputPadding.some((d) => d !== 0))
    refuse(op, 'outputPadding', 'outputPadding must be left out with kind pixel-shuffle');
  if ((first / groups) % phaseCount !== 0)
    refuse(
      op,
      'weight.dims',
      `weight must have a multiple of ${phaseCount * groups} output channels to be shuffled, got [${w.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  // Note [Pixel shuffle as a transposed convolution]
  const kernel = given.map((k, i) => k * stride[i]!);
  const padding = given.map((k, i) => (k - 1 - givenPadding[i]!) * stride[i]!);
  const outPerGroup = first / groups / phaseCount;
  const taps = product(kernel);
  const inner = product(given);
  const place = shufflePlaces(given, stride);
  const source = new Int32Array(values.length);
  const turned = values.slice();
  for (let g = 0; g < groups; g++)
    for (let i = 0; i < second; i++)
      for (let o = 0; o < outPerGroup; o++) {
        const to = ((g * second + i) * outPerGroup + o) * taps;
        for (let p = 0; p < phaseCount; p++) {
          const from = (((g * outPerGroup + o) * phaseCount + p) * second + i) * inner;
          for (let k = 0; k < inner; k++) {
            const at = to + place[p * inner + k]!;
            source[at] = from + k;
            turned[at] = values[from + k]!;
          }
        }
      }
  const geometry = geometryOf(kernel, stride, dilation, padding);
  return {
    ...common,
    ...geometry,
    kernel,
    padding,
    inChannels: second * groups,
    outChannels: outPerGroup * groups,
    values: turned,
    source,
  };
}

/** Where element k of sub-kernel p stands in the kernel of the transposed convolution. */
function shufflePlaces(given: readonly number[], stride: readonly number[]): Int32Array {
  let places = [0];
  let inner = [0];
  // Built axis by axis: places is indexed [phase, element] over the axes so far.
  let phases = 1;
  let elements = 1;
  for (const [a, k] of given.entries()) {
    const s = stride[a]!;
    const next = new Array<number>(phases * s * elements * k);
    for (let p = 0; p < phases; p++)
      for (let q = 0; q < s; q++)
        for (let e = 0; e < elements; e++)
          for (let j = 0; j < k; j++)
            next[(p * s + q) * elements * k + e * k + j] =
              places[p * elements + e]! * k * s + q + (k - 1 - j) * s;
    places = next;
    phases *= s;
    elements *= k;
    inner = next;
  }
  return Int32Array.from(inner);
}

function geometryOf(
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
  padding: readonly number[],
) {
  const axis = (i: number, p: number) =>
    axisPhases({ kernel: kernel[i]!, stride: stride[i]!, dilation: dilation[i]!, padding: p });
  const phases = kernel.map((_, i) => axis(i, padding[i]!));
  let phaseOf = [0];
  let slotOf = [0];
  let slots = 1;
  for (const [i, k] of kernel.entries()) {
    const phase = new Array<number>(k);
    const slot = new Array<number>(k);
    for (const p of phases[i]!) for (const t of p.taps) phase[t.kernel] = p.phase;
    // Sub-kernels are aligned as a zero-order hold has them: all phases of one input pixel together, so without padding.
    for (const p of axis(i, 0)) for (const [j, t] of p.taps.entries()) slot[t.kernel] = p.taps.length - 1 - j;
    const most = slot.reduce((a, b) => Math.max(a, b), 0) + 1;
    phaseOf = phaseOf.flatMap((p) => phase.map((q) => p * stride[i]! + q));
    slotOf = slotOf.flatMap((p) => slot.map((q) => p * most + q));
    slots *= most;
  }
  return {
    phases,
    taps: product(kernel),
    phaseOf: Int32Array.from(phaseOf),
    slotOf: Int32Array.from(slotOf),
    slots,
  };
}

function readValues(op: string, w: Tensor): Float32Array | Float64Array {
  const size = product(w.dims);
  const values =
    w.type === 'float16'
      ? Float32Array.from((w.data as Uint16Array).subarray(0, size), fromHalf)
      : (w.data as Float32Array).subarray(0, size);
  // A sum shows whether anything is not finite; only then is it looked for. A finite sum can overflow in no float64.
  let sum = 0;
  for (let i = 0; i < size; i++) sum += values[i]! * 0;
  if (sum !== 0) {
    let bad = 0;
    let at = -1;
    for (let i = 0; i < size; i++)
      if (!Number.isFinite(values[i])) {
        bad++;
        if (at < 0) at = i;
      }
    refuse(
      op,
      'weight.data',
      `weight must be finite, got ${bad} of ${size} elements that are not, the first ${values[at]} at ${at}`,
      'ERR_UPSAMPLING_ARGUMENT',
    );
  }
  return values;
}

/** Values in the order of a transposed convolution as a weight like the one given. */
export function weightFrom(op: string, layer: Layer, values: Float32Array | Float64Array): Tensor {
  const out = allocate(op, layer.type, layer.dims);
  const half = layer.type === 'float16';
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    out.data[layer.source === undefined ? i : layer.source[i]!] = half ? toHalf(Math.fround(v)) : v;
  }
  return out;
}
