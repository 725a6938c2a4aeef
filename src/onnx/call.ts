/** What every ONNX operator shares: inputs by position, attributes by name, an operator set version, a list of results. */
import { integer, integers, knownOptions, oneOf, rank } from '../check.js';
import { mustBe, refuse } from '../errors.js';
import { type AsyncOptions, type Call, type RunOptions, run, runSync } from '../execute.js';
import { fromHalf } from '../half.js';
import { asTensor, sizeOf, type Tensor, type TensorLike } from '../tensor.js';

/** Inputs by position; an optional input that is left out is undefined. */
export type OnnxInputs = readonly (TensorLike | null | undefined)[];

/** How to run, beside the attributes. */
export interface OnnxRunOptions extends RunOptions {
  /** Write the results here, by position, instead of allocating them. */
  readonly out?: readonly (TensorLike | undefined)[] | undefined;
  /** How many of the operator's outputs to compute; default 1. Only maxPool has 2: its Indices. */
  readonly outputs?: number | undefined;
  /** The operator set whose rules hold; default the newest that this operator knows. */
  readonly opset?: number | undefined;
}

export type OnnxOptions = OnnxRunOptions & AsyncOptions;

/** An attribute of the ONNX page: `since` which operator set it exists, and until which (exclusive). */
export interface Since {
  readonly since: number;
  readonly until?: number;
}

const OPTIONS = ['out', 'opset', 'threads', 'signal'];

/** Checks the names of options and attributes and the version; returns the operator set. */
export function opsetOf(
  op: string,
  attributes: object | undefined,
  options: OnnxOptions | undefined,
  known: Readonly<Record<string, number | Since>>,
  versions: { readonly from: number; readonly default: number },
): number {
  knownOptions(op, options, op === 'maxPool' ? [...OPTIONS, 'outputs'] : OPTIONS);
  knownOptions(op, attributes, Object.keys(known));
  if (options?.out !== undefined && !Array.isArray(options.out))
    mustBe(op, 'out', 'a list of tensors, one per output', options.out, 'ERR_UPSAMPLING_ARGUMENT');
  const opset =
    options?.opset === undefined ? versions.default : integer(op, 'opset', options.opset, versions.from);
  for (const name in attributes) {
    if ((attributes as Record<string, unknown>)[name] === undefined) continue;
    const fact = known[name]!;
    const { since, until } = typeof fact === 'number' ? { since: fact, until: undefined } : fact;
    if (opset < since || (until !== undefined && opset >= until))
      refuse(
        op,
        name,
        `${name} must be left out in operator set ${opset}, it ${opset < since ? `is there from ${since} on` : `was there before ${until}`}`,
      );
  }
  return opset;
}

/** Dims in the place of a tensor whose elements do not matter: what outputDims plans with, and nothing can run. */
export class ShapeOnly {
  constructor(readonly dims: readonly number[]) {}
}

/** The tensors of a call, checked; `names[i]` ends with '?' where input i may be left out. */
export function inputsOf(op: string, inputs: OnnxInputs, names: readonly string[]): (Tensor | undefined)[] {
  if (!Array.isArray(inputs) || inputs.length > names.length)
    mustBe(op, 'inputs', `a list of up to ${names.length} tensors`, inputs, 'ERR_UPSAMPLING_ARGUMENT');
  return names.map((name, i) => {
    const given = inputs[i] ?? undefined;
    if (given === undefined && name.endsWith('?')) return undefined;
    if (given instanceof ShapeOnly) return shaped(op, name.replace('?', ''), given.dims);
    return asTensor(op, name.replace('?', ''), given as TensorLike);
  });
}

/** A tensor of the usual type without its elements. */
function shaped(op: string, param: string, dims: readonly number[]): Tensor {
  if (!Array.isArray(dims) || !dims.every((d) => Number.isInteger(d) && d >= 0 && d <= 0x7fffffff))
    mustBe(op, `${param}.dims`, 'non-negative integers below 2^31', dims, 'ERR_UPSAMPLING_SHAPE');
  sizeOf(op, `${param}.dims`, dims);
  return { type: param === 'I' ? 'int64' : 'float32', data: new Float32Array(0), dims: dims.slice() };
}

/** The numbers of a one-dimensional parameter tensor, or undefined where it is left out or empty. */
export function vectorOf(
  op: string,
  param: string,
  t: Tensor | undefined,
  types: readonly string[],
): number[] | undefined {
  if (t === undefined) return undefined;
  const size = t.dims.reduce((a, b) => a * b, 1);
  if (t.dims.length === 1 && size === 0) return undefined;
  if (!types.includes(t.type)) mustBe(op, `${param}.type`, types.join(' or '), t.type, 'ERR_UPSAMPLING_TYPE');
  if (t.dims.length !== 1)
    refuse(
      op,
      `${param}.dims`,
      `${param} must have 1 dimension, got [${t.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const numberOf = t.type === 'float16' ? (v: number | bigint) => fromHalf(v as number) : Number;
  return Array.from(t.data.subarray(0, size) as Iterable<number | bigint>, (v) => numberOf(v));
}

/** An attribute that is 0 or 1. */
export function bit(op: string, param: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (value !== 0 && value !== 1) mustBe(op, param, '0 or 1', value);
  return value === 1;
}

/** An attribute that is one of a list of words. */
export function word<T extends string>(
  op: string,
  param: string,
  value: unknown,
  words: readonly T[],
  otherwise: T,
): T {
  return value === undefined ? otherwise : oneOf(op, param, value, words);
}

/** The axes that an attribute names, none twice, from 0; all of them when it is left out. */
export function axesOf(op: string, value: unknown, rank: number): number[] {
  if (value === undefined) return Array.from({ length: rank }, (_, i) => i);
  const axes = integers(op, 'axes', value, undefined, -rank, rank - 1).map((a) => (a < 0 ? a + rank : a));
  if (axes.length === 0 || new Set(axes).size !== axes.length) mustBe(op, 'axes', 'different axes', value);
  return axes;
}

/** The two public forms of an operator from its description. */
export function dialect<A extends object>(
  describe: (
    inputs: OnnxInputs,
    attributes: A | undefined,
    options: OnnxOptions | undefined,
  ) => Call<Tensor[]>,
) {
  return {
    later: (inputs: OnnxInputs, attributes?: A, options?: OnnxOptions): Promise<Tensor[]> =>
      run(() => describe(inputs, attributes, options)),
    now: (inputs: OnnxInputs, attributes?: A, options?: OnnxRunOptions): Tensor[] =>
      runSync(describe(inputs, attributes, options)),
  };
}

/** The one four-dimensional input of the operators that move blocks. */
export function imageOf(op: string, inputs: OnnxInputs): Tensor {
  const [x] = inputsOf(op, inputs, ['input']);
  rank(op, 'input', x!.dims, [4]);
  return x!;
}
