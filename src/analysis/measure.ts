/** The checkerboard of an output: lines of its spectrum at the stride frequencies, whatever made it. */
import { finite, knownOptions, oneOf, type PerAxis, positivePerAxis } from '../check.js';
import { mustBe, refuse } from '../errors.js';
import { fromHalf } from '../half.js';
import { asTensor, type Layout, type TensorLike } from '../tensor.js';

export interface MeasureOptions {
  /** Stride of the layer, or of the whole decoder; one number or [height, width]. */
  readonly stride: PerAxis;
  /** Memory order of 3 and 4 dimensions: (N, C, H, W), or (N, H, W, C) as pictures are. Default 'nchw'. */
  readonly layout?: Layout | undefined;
  /** A line this far above its neighbourhood counts, in dB of power. Default 10. */
  readonly prominence?: number | undefined;
}

/** One frequency (u/s, v/s) in cycles per pixel. Decibels are within ±200. */
export interface MeasuredLine {
  readonly bin: readonly [number, number];
  /** Power over the mean power of the bins around it. */
  readonly prominenceDb: number;
  /** Amplitude of the line under the mean of the output. */
  readonly levelDb: number;
}

export interface MeasuredCheckerboard {
  readonly stride: readonly [number, number];
  /** Extent of the windows that were averaged, and how many there were. */
  readonly window: readonly [number, number];
  readonly windows: number;
  readonly lines: readonly MeasuredLine[];
  /** The most prominent line; undefined for stride 1, which has none. */
  readonly peak: MeasuredLine | undefined;
  readonly verdict: 'clean' | 'checkerboard';
}

/** Bins between which a line's neighbourhood lies: beyond the main lobe of the window, before the next line. */
const NEAR = 2;
const FAR = 5;

/**
 * Measures lines at (u/s, v/s): P[u, v] = mean over windows and channels of |Σ w[y]·w[x]·(z − mean)·exp(−2πi(u·y/s + v·x/s))|², w being
 * Hann's window, against the mean of P over the bins around it (along the axis only for lines on an axis, where pictures have
 * more power than elsewhere).
 *
 * Tensors (H, W), (C, H, W) or (N, C, H, W), or with `layout: 'nhwc'` (H, W, C) or (N, H, W, C); every numeric type. The mean that
 * `levelDb` refers to is the root mean square of the windows' means.
 *
 * Throws ArgumentError for other ranks, for extents below six strides, and for values that are not finite.
 * Source: Welch 1967 (averaged periodograms); the peaks are those of Durall et al., CVPR 2020, arXiv 2003.01826.
 */
export function measureCheckerboard(output: TensorLike, options: MeasureOptions): MeasuredCheckerboard {
  const op = 'measureCheckerboard';
  knownOptions(op, options, ['stride', 'layout', 'prominence']);
  const x = asTensor(op, 'output', output);
  const [sy, sx] = positivePerAxis(op, 'stride', options.stride, 2) as [number, number];
  const layout =
    options.layout === undefined ? 'nchw' : oneOf(op, 'layout', options.layout, ['nchw', 'nhwc'] as const);
  const threshold = options.prominence === undefined ? 10 : finite(op, 'prominence', options.prominence);
  const rank = x.dims.length;
  if (rank < 2 || rank > 4)
    refuse(
      op,
      'output.dims',
      `output must have 2 to 4 dimensions, got [${x.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const last = layout === 'nhwc' && rank > 2;
  const [h, w] = x.dims.slice(last ? rank - 3 : rank - 2, last ? rank - 1 : rank) as [number, number];
  const channels = rank === 2 ? 1 : x.dims[last ? rank - 1 : rank - 3]!;
  const batch = rank === 4 ? x.dims[0]! : 1;
  const least = (s: number) => Math.max(6 * s, 12);
  if (h < least(sy) || w < least(sx))
    refuse(
      op,
      'output.dims',
      `output must be at least ${least(sy)}x${least(sx)} for stride ${sy}x${sx}, got ${h}x${w}`,
      'ERR_UPSAMPLING_SHAPE',
    );
  if (batch * channels === 0)
    mustBe(op, 'output.dims', 'of at least one plane', x.dims, 'ERR_UPSAMPLING_SHAPE');
  if (sy * sx > 4096) mustBe(op, 'stride', 'of at most 4096 phases', options.stride);
  const lengthOf = (size: number, s: number) =>
    s * Math.min(Math.floor(size / s), Math.max(16, Math.floor(128 / s)));
  const ly = lengthOf(h, sy);
  const lx = lengthOf(w, sx);
  const rows = startsOf(h, ly);
  const columns = startsOf(w, lx);
  const reach = (length: number, s: number) => Math.min(FAR, Math.max(NEAR, Math.floor(length / s / 2)));
  // Stride 1 along an axis still needs a neighbourhood: its only line is at 0.
  const binsY = binsOf(sy, ly / sy, reach(ly, sy));
  const binsX = binsOf(sx, lx / sx, reach(lx, sx));
  const power = new Float64Array(binsY.length * binsX.length);
  const transformY = basis(binsY, ly);
  const transformX = basis(binsX, lx);
  const windowY = hann(ly);
  const windowX = hann(lx);
  const plane = channelsReader(
    op,
    x.type === 'float16' ? Float32Array.from(x.data as Uint16Array, fromHalf) : x.data,
    last,
    h,
    w,
    channels,
  );
  let square = 0;
  let meanSquare = 0;
  let count = 0;
  const segment = new Float64Array(ly * lx);
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++)
      for (const y0 of rows)
        for (const x0 of columns) {
          let sum = 0;
          for (let y = 0; y < ly; y++)
            for (let i = 0; i < lx; i++) {
              const v = plane(n, c, y0 + y, x0 + i);
              segment[y * lx + i] = v;
              sum += v;
              square += v * v;
            }
          const mean = sum / segment.length;
          if (!Number.isFinite(mean)) mustBe(op, 'output.data', 'finite', sum, 'ERR_UPSAMPLING_ARGUMENT');
          meanSquare += mean * mean;
          for (let y = 0; y < ly; y++)
            for (let i = 0; i < lx; i++)
              segment[y * lx + i] = (segment[y * lx + i]! - mean) * windowY[y]! * windowX[i]!;
          addPower(power, segment, ly, lx, transformY, transformX, binsY.length, binsX.length);
          count++;
        }
  // Windows sum to 1 along each axis, so |P|^½ is the amplitude of a complex line.
  const floor = (1e-15 * square) / count / (ly * lx) + Number.MIN_VALUE;
  const dc = Math.sqrt(meanSquare / count);
  const at = (by: number, bx: number) => power[by * binsX.length + bx]! / count;
  const lines: MeasuredLine[] = [];
  for (let u = 0; u < sy; u++)
    for (let v = 0; v < sx; v++) {
      if (u === 0 && v === 0) continue;
      let around = 0;
      let bins = 0;
      for (const [by, ry] of binsY.entries())
        for (const [bx, rx] of binsX.entries()) {
          if (ry.line !== u || rx.line !== v) continue;
          if (u === 0 && ry.offset !== 0) continue;
          if (v === 0 && rx.offset !== 0) continue;
          if (Math.max(Math.abs(ry.offset), Math.abs(rx.offset)) < NEAR) continue;
          around += at(by, bx);
          bins++;
        }
      const by = binsY.findIndex((b) => b.line === u && b.offset === 0);
      const bx = binsX.findIndex((b) => b.line === v && b.offset === 0);
      const peak = at(by, bx);
      lines.push({
        bin: [u, v],
        prominenceDb: bounded(10 * Math.log10((peak + floor) / (around / bins + floor))),
        levelDb: dc === 0 ? (peak > floor ? 200 : -200) : bounded(20 * Math.log10(Math.sqrt(peak) / dc)),
      });
    }
  const top = lines.reduce<MeasuredLine | undefined>(
    (a, b) => (a === undefined || b.prominenceDb > a.prominenceDb ? b : a),
    undefined,
  );
  return {
    stride: [sy, sx],
    window: [ly, lx],
    windows: count,
    lines,
    peak: top,
    verdict: top !== undefined && top.prominenceDb >= threshold ? 'checkerboard' : 'clean',
  };
}

const bounded = (db: number): number => (Number.isNaN(db) ? -200 : Math.min(Math.max(db, -200), 200));

/** First positions of windows that overlap by half and reach to the end. */
function startsOf(size: number, length: number): number[] {
  const steps = Math.ceil((size - length) / Math.max(1, Math.floor(length / 2)));
  return Array.from({ length: steps + 1 }, (_, i) =>
    steps === 0 ? 0 : Math.round((i * (size - length)) / steps),
  );
}

interface Bin {
  readonly line: number;
  readonly offset: number;
  /** Cycles per window. */
  readonly cycles: number;
}

function binsOf(s: number, period: number, reach: number): Bin[] {
  const out: Bin[] = [];
  for (let line = 0; line < s; line++)
    for (let offset = -reach; offset <= reach; offset++)
      out.push({ line, offset, cycles: line * period + offset });
  return out;
}

function hann(length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => (1 - Math.cos((2 * Math.PI * i) / length)) / length);
}

function basis(bins: readonly Bin[], length: number): { re: Float64Array; im: Float64Array } {
  const re = new Float64Array(bins.length * length);
  const im = new Float64Array(bins.length * length);
  for (const [b, bin] of bins.entries())
    for (let i = 0; i < length; i++) {
      const turn = (((bin.cycles * i) % length) + length) % length;
      re[b * length + i] = Math.cos((-2 * Math.PI * turn) / length);
      im[b * length + i] = Math.sin((-2 * Math.PI * turn) / length);
    }
  return { re, im };
}

function addPower(
  power: Float64Array,
  segment: Float64Array,
  ly: number,
  lx: number,
  ty: { re: Float64Array; im: Float64Array },
  tx: { re: Float64Array; im: Float64Array },
  ny: number,
  nx: number,
): void {
  const re = new Float64Array(ly * nx);
  const im = new Float64Array(ly * nx);
  for (let y = 0; y < ly; y++)
    for (let b = 0; b < nx; b++) {
      let r = 0;
      let i = 0;
      for (let x = 0; x < lx; x++) {
        const v = segment[y * lx + x]!;
        r += v * tx.re[b * lx + x]!;
        i += v * tx.im[b * lx + x]!;
      }
      re[y * nx + b] = r;
      im[y * nx + b] = i;
    }
  for (let a = 0; a < ny; a++)
    for (let b = 0; b < nx; b++) {
      let r = 0;
      let i = 0;
      for (let y = 0; y < ly; y++) {
        const c = ty.re[a * ly + y]!;
        const d = ty.im[a * ly + y]!;
        r += re[y * nx + b]! * c - im[y * nx + b]! * d;
        i += re[y * nx + b]! * d + im[y * nx + b]! * c;
      }
      power[a * nx + b]! += r * r + i * i;
    }
}

function channelsReader(
  op: string,
  data: ArrayLike<number | bigint>,
  last: boolean,
  h: number,
  w: number,
  channels: number,
) {
  if (channels < 1) mustBe(op, 'output.dims', 'of at least one channel', channels, 'ERR_UPSAMPLING_SHAPE');
  return (n: number, c: number, y: number, x: number): number =>
    Number(data[last ? ((n * h + y) * w + x) * channels + c : ((n * channels + c) * h + y) * w + x]);
}
