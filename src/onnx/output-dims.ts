/**
 * The dims that an operator would return, from the dims it is given: pure, nothing is computed or allocated. Same attributes,
 * same checks and same errors as the operator.
 */
import type { Call } from '../execute.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { type AveragePoolAttributes, describeAveragePool } from './average-pool.js';
import { type OnnxInputs, type OnnxOptions, ShapeOnly } from './call.js';
import { type ConvAttributes, describeConv } from './conv.js';
import { type ConvTransposeAttributes, describeConvTranspose } from './conv-transpose.js';
import { type DepthToSpaceAttributes, describeDepthToSpace } from './depth-to-space.js';
import { describeGridSample, type GridSampleAttributes } from './grid-sample.js';
import { describeMaxPool, type MaxPoolAttributes } from './max-pool.js';
import { describeMaxUnpool, type MaxUnpoolAttributes } from './max-unpool.js';
import { describeResize, type ResizeAttributes } from './resize.js';
import { describeSpaceToDepth, type SpaceToDepthAttributes } from './space-to-depth.js';
import { describeUpsample, type UpsampleAttributes } from './upsample.js';

/** Inputs by position: dims, or a tensor where its numbers decide the result's dims (roi, scales, sizes, output_shape). */
export type OnnxShapes = readonly (readonly number[] | TensorLike | null | undefined)[];

type Describe<A> = (
  inputs: OnnxInputs,
  attributes: A | undefined,
  options: OnnxOptions | undefined,
) => Call<Tensor[]>;

/** The dims of every output. */
const dimsOf =
  <A>(describe: Describe<A>) =>
  (inputs: OnnxShapes, attributes?: A, options?: Pick<OnnxOptions, 'opset' | 'outputs'>): number[][] => {
    const shapes = inputs.map((i) => (Array.isArray(i) ? new ShapeOnly(i) : i));
    return describe(shapes as OnnxInputs, attributes, options).outputs.map((o) => o.dims.slice());
  };

/** outputDims.resize([[1, 3, 8, 8], undefined, undefined, sizes], attributes) and so on: one function per operator. */
export const outputDims = {
  averagePool: dimsOf<AveragePoolAttributes>(describeAveragePool),
  conv: dimsOf<ConvAttributes>(describeConv),
  convTranspose: dimsOf<ConvTransposeAttributes>(describeConvTranspose),
  depthToSpace: dimsOf<DepthToSpaceAttributes>(describeDepthToSpace),
  gridSample: dimsOf<GridSampleAttributes>(describeGridSample),
  maxPool: dimsOf<MaxPoolAttributes>(describeMaxPool),
  maxUnpool: dimsOf<MaxUnpoolAttributes>(describeMaxUnpool),
  resize: dimsOf<ResizeAttributes>(describeResize),
  spaceToDepth: dimsOf<SpaceToDepthAttributes>(describeSpaceToDepth),
  upsample: dimsOf<UpsampleAttributes>(describeUpsample),
};
