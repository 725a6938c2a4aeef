/**
 * Geometry of a resize-convolution: the resize is folded into the weights of each phase, so the resized tensor never exists.
 * See Note [Passes] in conv2d.ts.
 */
import { type AxisTaps, axisTaps } from './axis.js';
import {
  type AxisPass,
  type ConvAxis,
  type ConvAxisSpec,
  type ConvPlan,
  type ConvSpec,
  finishPlan,
} from './conv2d.js';
import { windowOutSize } from './window.js';

export interface ResizeConvSpec extends Omit<ConvSpec, 'axes'> {
  readonly mode: 'nearest' | 'bilinear';
  /** Of the convolution, inSize being that of the resize's input. */
  readonly axes: readonly (ConvAxisSpec & { readonly factor: number })[];
}

/** The convolution of the input resized by integer factors. */
export function planResizeConv2d(spec: ResizeConvSpec): ConvPlan {
  const axes = spec.axes.map((a): ConvAxis => {
    const large = a.inSize * a.factor;
    const outSize = windowOutSize(large, a);
    const resize = axisTaps({
      inSize: a.inSize,
      outSize: large,
      coordinates: { kind: spec.mode === 'nearest' ? 'asymmetric' : 'half-pixel' },
      filter: spec.mode === 'nearest' ? { kind: 'nearest', rounding: 'floor' } : { kind: 'linear' },
      precision: 'float64',
    });
    const { inStep, outStep } = steps(a.stride, a.factor);
    return {
      inSize: a.inSize,
      outSize,
      kernel: a.kernel,
      stride: a.stride,
      dilation: a.dilation,
      padding: a.padBegin,
      inStep,
      outStep,
      resize,
      passes: foldedPasses(a, resize, outSize, inStep, outStep),
    };
  });
  return finishPlan('resizeConv2d', spec, axes, false);
}

/** Outputs `outStep` apart see the same of inputs `inStep` apart. */
function steps(stride: number, factor: number): { inStep: number; outStep: number } {
  let [a, b] = [stride, factor];
  while (b !== 0) [a, b] = [b, a % b];
  return { inStep: stride / a, outStep: factor / a };
}

interface Stencil {
  readonly key: string;
  /** Offset from inStep·q → entries (kernel element, coefficient). */
  readonly taps: readonly (readonly [number, readonly (readonly [number, number])[]])[];
}

/** Which inputs output o reads, relative to its step, and with what. */
function stencil(a: ConvAxisSpec, resize: AxisTaps, o: number, inStep: number, outStep: number): Stencil {
  const base = Math.floor(o / outStep) * inStep;
  const taps = new Map<number, [number, number][]>();
  const nearest = resize.taps === 1;
  const add = (offset: number, k: number, weight: number) => {
    const entries = taps.get(offset);
    if (entries === undefined) taps.set(offset, [[k, weight]]);
    else entries.push([k, weight]);
  };
  for (let k = 0; k < a.kernel; k++) {
    const u = o * a.stride + k * a.dilation - a.padBegin;
    if (u < 0 || u >= resize.outSize) {
      if (!nearest) continue;
      // Copies of inputs that are not there: padding is padding, and the border needs no pass of its own.
      add(Math.floor((u * resize.inSize) / resize.outSize) - base, k, 1);
      continue;
    }
    for (let t = 0; t < resize.count[u]!; t++) {
      const weight = resize.weight[t * resize.outSize + u]!;
      if (weight === 0) continue;
      add(resize.index[t * resize.outSize + u]! - base, k, weight);
    }
  }
  const sorted = [...taps].sort((x, y) => x[0] - y[0]);
  return { key: JSON.stringify(sorted), taps: sorted };
}

/**
 * Outputs alike are one pass: for every phase the longest run of steps with the same stencil, and the outputs near the
 * borders, where the resize clamps or the padding cuts it, each by itself.
 */
function foldedPasses(
  a: ConvAxisSpec,
  resize: AxisTaps,
  outSize: number,
  inStep: number,
  outStep: number,
): AxisPass[] {
  const stencils = Array.from({ length: outSize }, (_, o) => stencil(a, resize, o, inStep, outStep));
  // Steps whose phases all look alike stand together.
  const steps = Math.ceil(outSize / outStep);
  const keyOf = (q: number) =>
    Array.from({ length: outStep }, (_, r) => stencils[q * outStep + r]?.key ?? '-').join('|');
  const passes: AxisPass[] = [];
  for (let q = 0; q < steps; ) {
    const key = keyOf(q);
    let end = q + 1;
    while (end < steps && keyOf(end) === key) end++;
    const groups = new Map<string, number[]>();
    for (let r = 0; r < outStep; r++) {
      const s = stencils[q * outStep + r];
      if (s === undefined) continue;
      const offsets = s.taps.map((t) => t[0]).join();
      const group = groups.get(offsets);
      if (group === undefined) groups.set(offsets, [r]);
      else group.push(r);
    }
    for (const phases of groups.values()) {
      const own = phases.map((r) => stencils[q * outStep + r]!);
      const lists = own.flatMap((s) => s.taps.map((t) => t[1]));
      const first = new Int32Array(lists.length + 1);
      for (const [i, list] of lists.entries()) first[i + 1] = first[i]! + list.length;
      const entries = lists.flat();
      passes.push({
        begin: q,
        end,
        offsets: Int32Array.from(own[0]!.taps.map((t) => t[0])),
        phases: Int32Array.from(phases),
        first,
        kernel: Int32Array.from(entries.map((e) => e[0])),
        coefficient: Float64Array.from(entries.map((e) => e[1])),
      });
    }
    q = end;
  }
  return passes;
}
