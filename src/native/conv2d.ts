import { ArgumentError } from '../errors.js';
import type { ConvPlan } from '../plan/conv2d.js';
import { codeOf, type TypedArray } from '../tensor.js';
import { addon } from './addon.js';
import { type Field, pack } from './pack.js';

/** Read by native/binding/convolution.h. */
export const packConvolution = (p: ConvPlan): Float64Array =>
  pack([
    codeOf(p.type),
    p.layout === 'nhwc',
    p.batch,
    p.groups,
    p.inChannels,
    p.outChannels,
    p.transposed,
    p.bias,
    p.packed === true,
    p.axes.length,
    p.axes.map((a): Field => {
      return [
        [a.inSize, a.outSize, a.kernel, a.inStep, a.outStep, a.passes.length],
        a.passes.map((s): Field => {
          const { begin, end, offsets, phases, first, kernel, coefficient } = s;
          return [
            [begin, end, offsets.length, phases.length, kernel.length],
            [offsets, phases, first, kernel, coefficient],
          ];
        }),
      ];
    }),
  ]);

/** Weights and bias, if any, in the form that the kernels of the instruction set in use read. */
export function packWeights(op: string, plan: ConvPlan, inputs: readonly TypedArray[]): TypedArray {
  const words = packConvolution(plan);
  const bytes = addon().packedBytes(words);
  let packed: Float64Array;
  try {
    packed = new Float64Array(Math.ceil(bytes / 8));
  } catch (error) {
    throw new ArgumentError(
      'ERR_UPSAMPLING_MEMORY',
      op,
      'weight',
      `${op}: packed weights need ${bytes} bytes, which cannot be allocated (${(error as Error).message})`,
    );
  }
  if (addon().packWeights(words, 0, 0, ...inputs, packed) !== undefined)
    throw new ArgumentError(
      'ERR_UPSAMPLING_MEMORY',
      op,
      '',
      `${op}: the working memory of the operator could not be allocated`,
    );
  return packed;
}
