/**
 * The dims that an operator would return, from the dims it is given: pure, nothing is computed or allocated. Same
 * arguments, same checks and same errors as the operator.
 */
import { type InterpolateOptions, interpolatePlan } from './torch/interpolate.js';
import { type InterpolateArgmaxOptions, interpolateArgmaxPlan } from './torch/interpolate-argmax.js';
import { type PixelShuffleOptions, pixelShufflePlan } from './torch/pixel-shuffle.js';
import { type PixelUnshuffleOptions, pixelUnshufflePlan } from './torch/pixel-unshuffle.js';

/** outputDims.interpolate(dims, options) and so on: one function per operator. */
export const outputDims = {
  interpolate: (dims: readonly number[], options: InterpolateOptions): number[] =>
    interpolatePlan('interpolate', shape(dims), options).outDims.slice(),
  interpolateArgmax: (dims: readonly number[], options: InterpolateArgmaxOptions): number[] =>
    interpolateArgmaxPlan('interpolateArgmax', shape(dims), options).outDims.slice(),
  pixelShuffle: (dims: readonly number[], options: PixelShuffleOptions): number[] =>
    pixelShufflePlan('pixelShuffle', shape(dims), options).outDims.slice(),
  pixelUnshuffle: (dims: readonly number[], options: PixelUnshuffleOptions): number[] =>
    pixelUnshufflePlan('pixelUnshuffle', shape(dims), options).outDims.slice(),
};

const shape = (dims: readonly number[]) => ({ type: 'float32' as const, dims: dims as number[] });
