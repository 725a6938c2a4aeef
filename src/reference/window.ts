/** Walking windows, for the reference. */
import type { WindowAxis } from '../plan/window.js';

/** Flat position → one position per axis. */
export function unflatten(flat: number, sizes: readonly number[]): number[] {
  const at: number[] = [];
  for (let i = sizes.length - 1, rest = flat; i >= 0; i--) {
    at.unshift(rest % sizes[i]!);
    rest = Math.floor(rest / sizes[i]!);
  }
  return at;
}

/** Every input position under the window of the output at `o`, in row-major order. */
export function* windowOf(axes: readonly WindowAxis[], o: readonly number[]): Generator<number[]> {
  const counts = axes.map((a, i) => a.count[o[i]!]!);
  const taps = counts.reduce((a, b) => a * b, 1);
  for (let t = 0; t < taps; t++)
    yield unflatten(t, counts).map((k, i) => axes[i]!.first[o[i]!]! + k * axes[i]!.dilation);
}

/** One position per axis → flat position. */
export const flatten = (at: readonly number[], sizes: readonly number[]): number =>
  at.reduce((flat, p, i) => flat * sizes[i]! + p, 0);
