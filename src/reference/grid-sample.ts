/** The definition: every output point is read where its grid value says, axis by axis. */
import type { GridAxis, GridSamplePlan } from '../plan/grid-sample.js';
import type { TypedArray } from '../tensor.js';
import { fromHalf, reader, roundHalfEven, writer } from './elements.js';

interface Tap {
  /** undefined: outside, where everything is zero. */
  readonly index: number | undefined;
  readonly weight: number;
}

export function gridSample(
  plan: GridSamplePlan,
  [input, grid]: readonly TypedArray[],
  [output]: readonly TypedArray[],
): void {
  const { batch, channels, points, axes, layout } = plan;
  const pixels = axes.reduce((n, a) => n * a.size, 1);
  const last = axes.length - 1;
  const moves = plan.filter === 'nearest';
  const read = reader(plan.type, input!);
  const write = moves ? undefined : writer(plan.type, output!);
  const position = (g: number | bigint) => (grid instanceof Uint16Array ? fromHalf(Number(g)) : Number(g));
  const at = (n: number, c: number, place: number, places: number) =>
    layout === 'nchw' ? (n * channels + c) * places + place : (n * places + place) * channels + c;
  for (let n = 0; n < batch; n++)
    for (let p = 0; p < points; p++) {
      let taps: Tap[] = [{ index: 0, weight: 1 }];
      for (const [i, axis] of axes.entries()) {
        const along = axisTaps(plan, axis, position(grid![(n * points + p) * axes.length + last - i]!));
        taps = taps.flatMap((t) =>
          along.map(({ index, weight }) => ({
            index: t.index === undefined || index === undefined ? undefined : t.index * axis.size + index,
            weight: t.weight * weight,
          })),
        );
      }
      for (let c = 0; c < channels; c++) {
        const to = at(n, c, p, points);
        const from = (t: Tap) => at(n, c, t.index!, pixels);
        if (write === undefined) {
          const zero = typeof output![to] === 'bigint' ? 0n : 0;
          output![to] = taps[0]!.index === undefined ? zero : input![from(taps[0]!)]!;
        } else
          write(
            to,
            taps.reduce((sum, t) => sum + t.weight * (t.index === undefined ? 0 : read(from(t))), 0),
          );
      }
    }
}

/** The pixels along one axis that a grid value reads. */
function axisTaps(plan: GridSamplePlan, axis: GridAxis, g: number): Tap[] {
  const round = plan.gridType === 'float64' ? (v: number) => v : Math.fround;
  const x = round(round(round(g + 1) * round(axis.step)) + axis.shift);
  const inside = (i: number) => (i >= 0 && i < axis.size ? i : undefined);
  const pad = (v: number) => padded(plan, axis, v, round);
  if (plan.filter === 'nearest') {
    const nearest = plan.roundsFirst ? pad(roundHalfEven(x)) : roundHalfEven(pad(x));
    return [{ index: inside(nearest), weight: 1 }];
  }
  if (plan.filter === 'linear') {
    const v = pad(x);
    const first = Math.floor(v);
    return [
      { index: inside(first), weight: 1 - (v - first) },
      { index: inside(first + 1), weight: v - first },
    ];
  }
  const first = Math.floor(x);
  return [-1, 0, 1, 2].map((k) => ({
    index: inside(pad(first + k)),
    weight: cubic(Math.abs(x - first - k)),
  }));
}

/** A position moved into the image by the padding rule; as it is for zeros. */
function padded(
  plan: GridSamplePlan,
  { size, low, period }: GridAxis,
  x: number,
  round: (v: number) => number,
) {
  if (plan.padding === 'zeros') return x;
  let v = x;
  if (plan.padding === 'reflection') {
    if (period === 0) return 0;
    const distance = Math.abs(round(x - low));
    const rest = round(distance - round(Math.trunc(round(distance / period)) * period));
    v = round(Math.min(rest, round(period - rest)) + low);
  }
  return v > 0 ? Math.min(v, size - 1) : 0;
}

/** Keys' cubic convolution kernel with a = -0.75. */
function cubic(d: number): number {
  if (d < 1) return (1.25 * d - 2.25) * d * d + 1;
  return ((-0.75 * d + 3.75) * d - 6) * d + 3;
}
