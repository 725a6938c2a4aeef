/** Compares a backend's output with the exact value, and words a failure so that it can be rerun. */
import type { Plans } from '../../src/backend.js';
import type { Call } from '../../src/execute.js';
import { precisionOf } from '../../src/plan/interpolate.js';
import { fromHalf } from '../../src/reference/elements.js';
import { reference } from '../../src/reference/index.js';
import { allocate, type DataType, type TypedArray } from '../../src/tensor.js';
import type { Args, Operator } from './operator.js';
import { bitsOf } from './tensors.js';

type AnyPlan = Plans[keyof Plans] & { readonly type: DataType };
type AnyRun = (plan: AnyPlan, inputs: readonly TypedArray[], outputs: readonly TypedArray[]) => void;

/** Elements as float64. */
export function numbers(type: DataType, a: TypedArray): Float64Array {
  return Float64Array.from(a as Iterable<number>, (v) => (type === 'float16' ? fromHalf(v) : Number(v)));
}

/** What the reference says: bits for exact families, unrounded float64 with its error bound for the others. */
export interface Expectation {
  readonly exact: readonly TypedArray[];
  /** Per output element, for families that round. */
  readonly bound?: Float64Array;
}

export function expectation(op: Operator, args: Args, call: Call<unknown>): Expectation {
  const run = reference[op.kernel] as AnyRun;
  const plan = call.plan as AnyPlan;
  const family = op.family(args);
  if (family === 'exact') {
    const outputs = call.outputs.map((o) => allocate('compare', o.type, o.dims).data);
    run(plan, call.inputs, outputs);
    return { exact: outputs };
  }
  const wide = { ...plan, type: 'float64' as const };
  const size = call.outputs[0]!.dims.reduce((a, b) => a * b, 1);
  const inputs = call.inputs.map((a) =>
    // float16 travels as 16-bit words, in whichever input.
    numbers(a instanceof Uint16Array && plan.type !== 'uint16' ? 'float16' : 'float64', a),
  );
  const exact = new Float64Array(size);
  run(wide, inputs, [exact]);
  let magnitude = new Float64Array(size);
  if (op.magnitude !== undefined) magnitude = op.magnitude(plan as never, inputs) as typeof magnitude;
  else {
    const absolute = (op.absolute === undefined ? wide : op.absolute(wide as never)) as AnyPlan;
    run(
      { ...absolute, type: 'float64' } as AnyPlan,
      inputs.map((a) => a.map(Math.abs)),
      [magnitude],
    );
  }
  const products = op.products?.(plan as never) ?? 1;
  const unit = precisionOf(plan.type) === 'float64' ? 2 ** -53 : 2 ** -24;
  const bound = magnitude.map((m, i) => (products + 2) * unit * m + rounding(plan.type, exact[i]!));
  return { exact: [exact], bound };
}

/** What one rounding to the element type may add. */
function rounding(type: DataType, v: number): number {
  switch (type) {
    case 'float16':
      return Math.max(Math.abs(v) * 2 ** -11, 2 ** -25) * 1.001;
    case 'uint8':
    case 'int8':
      return 0.5 + 2 ** -12;
    case 'int16':
    case 'uint16':
    case 'int32':
    case 'uint32':
      return 0.5 + 2 ** -20;
    case 'int64':
    case 'uint64':
      return 0.5 + 2 ** -20 + Math.abs(v) * 2 ** -52;
    case 'float64':
      return Math.abs(v) * 2 ** -53 + 2 ** -1074;
    default:
      return Math.abs(v) * 2 ** -24 + 2 ** -149;
  }
}

/** The first way in which `got` is not what was expected, or undefined. */
export function difference(
  call: Call<unknown>,
  expected: Expectation,
  got: readonly TypedArray[],
): string | undefined {
  for (const [k, spec] of call.outputs.entries()) {
    const a = got[k]!;
    const e = expected.exact[k]!;
    if (expected.bound === undefined) {
      const float = spec.type.startsWith('float');
      const [ba, be] = [bitsOf(a), bitsOf(e)];
      if (Buffer.compare(ba, be) === 0) continue;
      const [na, ne] = [numbers(spec.type, a), numbers(spec.type, e)];
      for (let i = 0; i < a.length; i++)
        if (
          (a[i] !== e[i] && !(float && Number.isNaN(na[i]!) && Number.isNaN(ne[i]!))) ||
          (float && na[i] === 0 && !Object.is(na[i], ne[i]))
        )
          return `output ${k} (${spec.param}) element ${place(i, spec.dims)}: expected ${e[i]}, got ${a[i]}`;
      continue;
    }
    const values = numbers(spec.type, a);
    let worst = -1;
    let excess = 0;
    for (let i = 0; i < values.length; i++) {
      const clamped = clamp(spec.type, e[i] as number);
      const same =
        Object.is(values[i], clamped) ||
        values[i] === clamped ||
        (Number.isNaN(values[i]!) && Number.isNaN(clamped));
      const over = same
        ? 0
        : Number.isFinite(clamped)
          ? Math.abs(values[i]! - clamped) / expected.bound[i]!
          : Infinity;
      if (Number.isNaN(over) || over > Math.max(1, excess)) {
        worst = i;
        excess = Number.isNaN(over) ? Infinity : over;
      }
    }
    if (worst >= 0)
      return `output ${k} (${spec.param}) element ${place(worst, spec.dims)}: expected ${e[worst]} ± ${expected.bound[worst]}, got ${values[worst]}`;
  }
  return undefined;
}

function clamp(type: DataType, v: number): number {
  const integer = /^(u?)int(\d+)$/.exec(type);
  if (integer === null) return v;
  const bits = Number(integer[2]);
  const [low, end] = integer[1] === 'u' ? [0, 2 ** bits] : [-(2 ** (bits - 1)), 2 ** (bits - 1)];
  // As a float64 the largest of 64 bits is the power of two above it.
  return Math.min(Math.max(v, low), bits === 64 ? end : end - 1);
}

/** Flat index as [n, c, y, x]. */
function place(i: number, dims: readonly number[]): string {
  const at: number[] = [];
  let rest = i;
  for (const d of [...dims].reverse()) {
    at.unshift(rest % d);
    rest = Math.floor(rest / d);
  }
  return `[${at.join(', ')}]`;
}

/** What to paste to rerun one failure alone. */
export function rerun(op: Operator, args: Args, isa: string, threads: number): string {
  const filter = JSON.stringify({ op: op.name, isa, threads, args });
  return `rerun with: UPSAMPLING_CASE='${filter}' npm test -- test/parity.test.ts`;
}
