/**
 * Every operator against the reference, on every instruction set of this machine, at 1 and 2 threads, between sentinels. In
 * the families that promise it, the same bits everywhere.
 *
 * A failure prints a line that reruns it alone.
 */
import { describe, expect, it } from 'vitest';
import type { Call } from '../src/execute.js';
import { native } from '../src/native/backend.js';
import { packWeights } from '../src/native/conv2d.js';
import type { ConvPlan } from '../src/plan/conv2d.js';
import { runtime } from '../src/runtime.js';
import type { TypedArray } from '../src/tensor.js';
import { operators } from './ops/index.js';
import { difference, expectation, rerun } from './support/compare.js';
import { type Args, callOf, type Operator } from './support/operator.js';
import { random } from './support/random.js';
import { bitsOf, guarded } from './support/tensors.js';

const only =
  process.env.UPSAMPLING_CASE === undefined
    ? undefined
    : (JSON.parse(process.env.UPSAMPLING_CASE) as { op: string; isa: string; threads: number; args: Args });

/** How many random cases: UPSAMPLING_DRAWS if set, as for fewer under sanitizers, or thousands from another UPSAMPLING_SEED. */
const draws = (op: Operator) => Number(process.env.UPSAMPLING_DRAWS ?? op.draws ?? 150);

/** The same call as a prepared operator makes it. */
const preparedForm = ({ op, plan, inputs }: Call<unknown> & { plan: ConvPlan }) => ({
  name: ', prepared',
  plan: { ...plan, packed: true },
  inputs: [inputs[0]!, packWeights(op, plan, inputs.slice(1))],
});

/** Runs a case everywhere; returns what is wrong, or nothing. */
function check(op: Operator, args: Args): string[] {
  const call = callOf(op, args);
  const judge = op.judge as ((c: unknown, o: readonly TypedArray[]) => string | undefined) | undefined;
  const expected = judge === undefined ? expectation(op, args, call) : undefined;
  const before = call.inputs.map((a) => Buffer.from(bitsOf(a)));
  const family = op.family(args);
  const problems: string[] = [];
  const seen = new Map<string, Buffer>();
  // Weights are packed for inputs that are not empty.
  const packs =
    ['conv2d', 'convTranspose2d', 'resizeConv2d'].includes(op.kernel) && call.inputs[0]!.length > 0;
  for (const isa of only === undefined ? runtime.isas : [only.isa]) {
    runtime.setIsa(isa);
    const forms = [{ name: '', plan: call.plan, inputs: call.inputs }];
    if (packs) forms.push(preparedForm(call as Call<unknown> & { plan: ConvPlan }));
    const runs = (only === undefined ? [1, 2] : [only.threads]).flatMap((threads) =>
      forms.map((form) => ({ threads, form })),
    );
    for (const { threads, form } of runs) {
      const outputs = call.outputs.map((o) => guarded(o.type, o.dims));
      const arrays: TypedArray[] = outputs.map((o) => o.tensor.data);
      const run = native(threads)[op.kernel] as (
        p: unknown,
        i: readonly TypedArray[],
        o: readonly TypedArray[],
      ) => void;
      run(form.plan, form.inputs, arrays);
      const where = `${isa}, ${threads} threads${form.name}`;
      const fail = (what: string) =>
        problems.push(`${op.name} on ${where}: ${what}\n  ${rerun(op, args, isa, threads)}`);
      const wrong = expected === undefined ? judge!(call, arrays) : difference(call, expected, arrays);
      if (wrong !== undefined) fail(wrong);
      if (!outputs.every((o) => o.intact())) fail('wrote outside its output');
      if (!call.inputs.every((a, i) => Buffer.compare(before[i]!, bitsOf(a)) === 0)) fail('changed an input');
      // NaNs may differ in sign and payload between instruction sets; bits are compared where there are none.
      const group = family === 'interpolation' ? 'all' : family === 'reduction' ? isa + form.name : undefined;
      if (group !== undefined) {
        const bits = Buffer.concat(arrays.map((a) => Buffer.from(bitsOf(a))));
        const first = seen.get(group);
        if (first === undefined) seen.set(group, bits);
        else if (Buffer.compare(first, bits) !== 0)
          fail(
            `other bits than ${group === 'all' ? 'another instruction set or thread count' : 'another thread count'}`,
          );
      }
    }
  }
  return problems;
}

describe.each(
  operators.filter((op) => only === undefined || op.name === only.op).map((op) => [op.name, op] as const),
)('%s', (_, op) => {
  it('agrees with the reference on its samples', () => {
    const cases = only === undefined ? op.samples() : [only.args];
    const problems = cases.flatMap((args) => check(op, args));
    expect(problems.slice(0, 5).join('\n'), `${problems.length} of ${cases.length} cases`).toBe('');
  });

  it.runIf(only === undefined)('agrees with the reference on random cases', () => {
    const seed = Number(process.env.UPSAMPLING_SEED ?? 20261122);
    const problems: string[] = [];
    for (let i = 0; i < draws(op); i++) problems.push(...check(op, op.random(random(seed + i))));
    expect(problems.slice(0, 5).join('\n'), `seed ${seed}`).toBe('');
  });
});
