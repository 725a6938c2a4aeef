/** ONNX MaxPool, operator sets 1, 8, 10, 11, 12 and 22. */
import { integer } from '../check.js';
import type { Call, OutputSpec } from '../execute.js';
import { planMaxPool2d } from '../plan/max-pool2d.js';
import type { Tensor } from '../tensor.js';
import { type PoolAttributes, poolAxes } from './average-pool.js';
import { bit, dialect, inputsOf, type OnnxInputs, type OnnxOptions, opsetOf } from './call.js';

export interface MaxPoolAttributes extends PoolAttributes {
  /** 1: Indices number the elements of a plane column by column. Default 0. */
  readonly storage_order?: 0 | 1 | undefined;
}

const ATTRIBUTES = {
  auto_pad: 1,
  ceil_mode: 10,
  dilations: 10,
  kernel_shape: 1,
  pads: 1,
  storage_order: 8,
  strides: 1,
};

export function describeMaxPool(
  inputs: OnnxInputs,
  attributes: MaxPoolAttributes | undefined,
  options: OnnxOptions | undefined,
): Call<Tensor[]> {
  const op = 'maxPool';
  const a = attributes ?? ({} as MaxPoolAttributes);
  opsetOf(op, attributes, options, ATTRIBUTES, { from: 1, default: 22 });
  const wanted = options?.outputs === undefined ? 1 : integer(op, 'outputs', options.outputs, 1, 2);
  const [x] = inputsOf(op, inputs, ['X']);
  const columnMajor = bit(op, 'storage_order', a.storage_order);
  const axes = poolAxes(op, x!.dims, a);
  const plan = planMaxPool2d({
    type: x!.type,
    dims: x!.dims,
    layout: 'nchw',
    axes,
    indices: wanted === 1 ? undefined : columnMajor ? 'tensor-column-major' : 'tensor',
  });
  const outputs: OutputSpec[] = [
    { param: 'out', type: x!.type, dims: plan.outDims, out: options?.out?.[0] },
    { param: 'out', type: 'int64', dims: plan.outDims, out: options?.out?.[1] },
  ];
  return {
    op,
    kernel: 'maxPool2d',
    plan,
    inputs: [x!.data],
    outputs: outputs.slice(0, wanted),
    options,
    finish: (results) => results,
  };
}

/**
 * Y[o] = max over the window of X[o·stride − pad + k·dilation], padding never wins: ONNX MaxPool.
 *
 * Input X (N, C, spatial…) with 1 to 3 spatial axes and any element type. With `outputs: 2` in the options the second
 * result is Indices, int64, flat over the whole of X. SAME_* gives ceil(in / stride) outputs; ceil_mode drops a last window
 * that would start beyond X and its begin padding. NaN wins, as in PyTorch; the first of equals wins.
 *
 * Throws ArgumentError for wrong ranks, attributes and windows that do not fit, before anything is written.
 * Source: onnx.ai/onnx/operators/onnx__MaxPool.html, versions 1 to 22.
 */
export const { later: maxPool, now: maxPoolSync } = dialect(describeMaxPool);
