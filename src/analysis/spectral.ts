/** Small numerics of the analysis: decibels, the Fourier transform over phases, the largest singular value. */

/** Decibels are cut off here: −200 stands for nothing at all, 200 for everything. So they survive JSON. */
export const SILENCE = -200;

/** 20·log10 of a ratio of amplitudes, within ±200. */
export function decibels(amplitude: number): number {
  if (Number.isNaN(amplitude) || amplitude <= 1e-10) return SILENCE;
  return Math.min(20 * Math.log10(amplitude), -SILENCE);
}

/** The ratio of amplitudes in decibels; nothing over nothing is silence. */
export const ratioDb = (part: number, whole: number): number =>
  part === 0 ? SILENCE : decibels(part / whole);

/**
 * Y[u] = 1/P · Σ_p y[p] · exp(−2πi Σ_a u_a p_a / s_a) along the leading axes `extents`, for every column of the real input
 * [phases, columns]; returns real and imaginary parts.
 */
export function phaseTransform(
  y: Float64Array,
  extents: readonly number[],
): { re: Float64Array; im: Float64Array } {
  let re = Float64Array.from(y);
  let im = new Float64Array(y.length);
  let below = y.length;
  for (const s of extents) {
    below /= s;
    const nextRe = new Float64Array(y.length);
    const nextIm = new Float64Array(y.length);
    const outer = y.length / (s * below);
    for (let u = 0; u < s; u++)
      for (let p = 0; p < s; p++) {
        const angle = (-2 * Math.PI * ((u * p) % s)) / s;
        const c = Math.cos(angle) / s;
        const d = Math.sin(angle) / s;
        for (let o = 0; o < outer; o++) {
          const from = (o * s + p) * below;
          const to = (o * s + u) * below;
          for (let i = 0; i < below; i++) {
            nextRe[to + i]! += re[from + i]! * c - im[from + i]! * d;
            nextIm[to + i]! += re[from + i]! * d + im[from + i]! * c;
          }
        }
      }
    re = nextRe;
    im = nextIm;
  }
  return { re, im };
}

/** Norm over `inner` columns of row `u`. */
export function rowNorm(re: Float64Array, im: Float64Array, u: number, inner: number): number {
  let sum = 0;
  for (let i = u * inner; i < (u + 1) * inner; i++) sum += re[i]! * re[i]! + im[i]! * im[i]!;
  return Math.sqrt(sum);
}

/** Rows of a matrix, each a slice of one array. */
export interface Rows {
  readonly data: Float64Array;
  readonly starts: readonly number[];
  readonly columns: number;
}

/**
 * The largest singular value and its right singular vector, by power iteration: until it moves by less than 3e-4 from step to
 * step, 0.003 dB. Starts from the same vector every time.
 */
export function largestSingular({ data, starts, columns }: Rows): { sigma: number; vector: Float64Array } {
  let v = Float64Array.from({ length: columns }, (_, i) => 1 + 0.5 * Math.sin(1 + 12.9898 * i));
  normalise(v);
  let sigma = 0;
  for (let step = 0; step < 40; step++) {
    const next = new Float64Array(columns);
    let energy = 0;
    for (const start of starts) {
      let dot = 0;
      for (let i = 0; i < columns; i++) dot += data[start + i]! * v[i]!;
      energy += dot * dot;
      for (let i = 0; i < columns; i++) next[i]! += dot * data[start + i]!;
    }
    const now = Math.sqrt(energy);
    if (normalise(next) === 0) return { sigma: now, vector: v };
    v = next;
    const settled = Math.abs(now - sigma) <= 3e-4 * now;
    sigma = now;
    if (settled && step > 2) break;
  }
  return { sigma, vector: v };
}

function normalise(v: Float64Array): number {
  let sum = 0;
  for (const x of v) sum += x * x;
  const norm = Math.sqrt(sum);
  if (norm > 0) for (let i = 0; i < v.length; i++) v[i]! /= norm;
  return norm;
}
