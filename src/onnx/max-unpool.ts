/** ONNX MaxUnpool, operator sets 9, 11 and 22. */
import { ArgumentError, mustBe, refuse } from '../errors.js';
import type { Call } from '../execute.js';
import { planMaxUnpool2d } from '../plan/max-unpool2d.js';
import { windowInSize } from '../plan/window.js';
import type { Tensor, TypedArray } from '../tensor.js';
import { dialect, inputsOf, type OnnxInputs, type OnnxOptions, opsetOf, vectorOf } from './call.js';
import { kernelOf, spatialRank, type WindowAttributes, windowsOf } from './window.js';

export type MaxUnpoolAttributes = Pick<WindowAttributes, 'kernel_shape' | 'pads' | 'strides'>;

export function describeMaxUnpool(
  inputs: OnnxInputs,
  attributes: MaxUnpoolAttributes | undefined,
  options: OnnxOptions | undefined,
): Call<Tensor[]> {
  const op = 'maxUnpool';
  const a = attributes ?? {};
  opsetOf(op, attributes, options, { kernel_shape: 9, pads: 9, strides: 9 }, { from: 9, default: 22 });
  const [x, indices, shapeInput] = inputsOf(op, inputs, ['X', 'I', 'output_shape?']);
  const { dims } = x!;
  const n = spatialRank(op, 'X', dims);
  if (indices!.type !== 'int64' && indices!.type !== 'int32')
    mustBe(op, 'I.type', 'int64 or int32', indices!.type, 'ERR_UPSAMPLING_TYPE');
  if (indices!.dims.length !== dims.length || indices!.dims.some((d, i) => d !== dims[i]))
    refuse(
      op,
      'I.dims',
      `I must have the dims of X [${dims.join(', ')}], got [${indices!.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const { windows } = windowsOf(op, a, kernelOf(op, a.kernel_shape, n));
  const inferred = windows.map((w, i) => windowInSize(dims[2 + i]!, w));
  for (const [i, d] of inferred.entries())
    if (d < 1 || d > 0x7fffffff)
      refuse(op, 'pads', `pads must leave output extents from 1 to 2^31 - 1, got ${d} along axis ${i}`);
  const shape = vectorOf(op, 'output_shape', shapeInput, ['int64', 'int32']);
  if (
    shape !== undefined &&
    (shape.length !== n + 2 ||
      shape[0] !== dims[0] ||
      shape[1] !== dims[1] ||
      shape.slice(2).some((d, i) => d < inferred[i]! || d > 0x7fffffff))
  )
    mustBe(
      op,
      'output_shape',
      `dims of at least [${[dims[0], dims[1], ...inferred].join(', ')}] with the same batch and channels`,
      shape,
    );
  const outSizes = shape === undefined ? inferred : shape.slice(2);
  const plan = planMaxUnpool2d({
    type: x!.type,
    dims,
    layout: 'nchw',
    outSizes,
    // ONNX's reference unpools to the inferred shape and surrounds the result with zeros at the end of every axis.
    indexSizes: inferred,
    indexType: indices!.type,
    indices: 'tensor',
    onDuplicate: 'last',
  });
  return {
    op,
    kernel: 'maxUnpool2d',
    plan,
    inputs: [x!.data, indices!.data],
    outputs: [{ param: 'out', type: x!.type, dims: plan.outDims, out: options?.out?.[0] }],
    options,
    finish: (results) => results,
    explain: (position) => badIndex(op, indices!.data, position),
  };
}

function badIndex(op: string, indices: TypedArray, position: number): never {
  throw new ArgumentError(
    'ERR_UPSAMPLING_INDEX',
    op,
    'I',
    `${op}: I must name elements of the output in the plane of their value, got ${indices[position]} at position ${position}`,
  );
}

/**
 * Y[I[i]] = X[i] over the flat output, 0 elsewhere: ONNX MaxUnpool.
 *
 * Inputs X (N, C, spatial…) of any element type, I (int64, as MaxPool's second output, flat over the whole pooled tensor)
 * and, optionally, output_shape (all dims, none smaller than inferred). The inferred extents are (in − 1)·stride − pads +
 * kernel. I counts in the inferred shape and output_shape adds zeros at the ends, as in ONNX's reference (onnxruntime and
 * PyTorch read I in the plane of the requested output). Duplicates: the last in row-major order stands.
 *
 * Throws ArgumentError for wrong shapes, attributes and indices, before anything is written.
 * Source: onnx.ai/onnx/operators/onnx__MaxUnpool.html, versions 9 to 22.
 */
export const { later: maxUnpool, now: maxUnpoolSync } = dialect(describeMaxUnpool);
