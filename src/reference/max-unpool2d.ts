/** The definition: every value returns to the cell that its index names; the other cells are 0. */
import { BackendFailure } from '../backend.js';
import type { MaxUnpool2dPlan } from '../plan/max-unpool2d.js';
import type { TypedArray } from '../tensor.js';
import { order } from './max-pool2d.js';

/** Where position `at` of the plane that is counted in lies in the output's. */
function place({ grows }: MaxUnpool2dPlan, at: number): number {
  if (grows === undefined) return at;
  let [rest, flat, stride] = [at, 0, 1];
  for (let k = grows.from.length - 1; k >= 0; k--) {
    flat += (rest % grows.from[k]!) * stride;
    rest = Math.floor(rest / grows.from[k]!);
    stride *= grows.to[k]!;
  }
  return flat;
}

export function maxUnpool2d(
  plan: MaxUnpool2dPlan,
  [input, indices]: readonly TypedArray[],
  [output]: readonly TypedArray[],
): void {
  const { outer, inSize, outSize, inner, onDuplicate } = plan;
  const better = order(plan.type);
  /** The cell that element i goes to. */
  const cell = (i: number): number => {
    const plane = Math.floor(i / (inSize * inner));
    const at = Number(indices![i]) - plane * plan.planeStride;
    if (!(at >= 0 && at < plan.indexSize)) throw new BackendFailure('index', i);
    return (plane * outSize + place(plan, at)) * inner + (i % inner);
  };
  const taken = new Set<number>();
  for (let i = 0; i < outer * inSize * inner; i++) {
    const to = cell(i);
    if (onDuplicate === 'error' && taken.has(to)) throw new BackendFailure('index', i);
    taken.add(to);
  }
  taken.clear();
  if (output instanceof BigInt64Array || output instanceof BigUint64Array) output.fill(0n);
  else output!.fill(0 as never);
  for (let i = 0; i < outer * inSize * inner; i++) {
    const to = cell(i);
    const v = input![i]!;
    if (onDuplicate === 'max' && taken.has(to) && better(output![to]!, v)) continue;
    output![to] = onDuplicate === 'sum' && taken.has(to) ? (output![to] as number) + (v as number) : v;
    taken.add(to);
  }
}
