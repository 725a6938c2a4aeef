/**
 * The dims that an operator would return, from the dims it is given: pure, nothing is computed or allocated. Same
 * arguments, same checks and same errors as the operator.
 */
import type { AdaptiveAvgPoolOptions } from './torch/adaptive-avg-pool2d.js';
import type { AdaptiveMaxPoolOptions } from './torch/adaptive-max-pool2d.js';
import { adaptiveDims } from './torch/adaptive-options.js';
import { type AvgPoolOptions, avgPoolDims } from './torch/avg-pool2d.js';
import { type ConvOptions, type ConvTransposeOptions, convolutionDims } from './torch/convolution.js';
import { type GridSampleOptions, gridSamplePlan } from './torch/grid-sample.js';
import { type InterpolateOptions, interpolatePlan } from './torch/interpolate.js';
import { type InterpolateArgmaxOptions, interpolateArgmaxPlan } from './torch/interpolate-argmax.js';
import { type InterpolateQuantizeOptions, interpolateQuantizePlan } from './torch/interpolate-quantize.js';
import { type InterpolateSoftmaxOptions, interpolateSoftmaxPlan } from './torch/interpolate-softmax.js';
import { type InterpolateThresholdOptions, interpolateThresholdPlan } from './torch/interpolate-threshold.js';
import { type MaxPoolOptions, maxPoolDims } from './torch/max-pool2d.js';
import { type MaxUnpoolOptions, maxUnpoolDims } from './torch/max-unpool2d.js';
import { type PixelShuffleOptions, pixelShufflePlan } from './torch/pixel-shuffle.js';
import { type PixelUnshuffleOptions, pixelUnshufflePlan } from './torch/pixel-unshuffle.js';

/** outputDims.interpolate(dims, options) and so on: one function per operator. */
export const outputDims = {
  gridSample: (dims: readonly number[], gridDims: readonly number[], options?: GridSampleOptions): number[] =>
    gridSamplePlan('gridSample', shape(dims), shape(gridDims), options).outDims.slice(),
  conv1d: (
    dims: readonly number[],
    weightDims: readonly number[],
    options?: Omit<ConvOptions, 'bias'>,
  ): number[] => convolutionDims('conv1d', 1, false, dims, weightDims, options as never),
  conv2d: (
    dims: readonly number[],
    weightDims: readonly number[],
    options?: Omit<ConvOptions, 'bias'>,
  ): number[] => convolutionDims('conv2d', 2, false, dims, weightDims, options as never),
  conv3d: (
    dims: readonly number[],
    weightDims: readonly number[],
    options?: Omit<ConvOptions, 'bias'>,
  ): number[] => convolutionDims('conv3d', 3, false, dims, weightDims, options as never),
  convTranspose1d: (
    dims: readonly number[],
    weightDims: readonly number[],
    options?: Omit<ConvTransposeOptions, 'bias'>,
  ): number[] => convolutionDims('convTranspose1d', 1, true, dims, weightDims, options as never),
  convTranspose2d: (
    dims: readonly number[],
    weightDims: readonly number[],
    options?: Omit<ConvTransposeOptions, 'bias'>,
  ): number[] => convolutionDims('convTranspose2d', 2, true, dims, weightDims, options as never),
  convTranspose3d: (
    dims: readonly number[],
    weightDims: readonly number[],
    options?: Omit<ConvTransposeOptions, 'bias'>,
  ): number[] => convolutionDims('convTranspose3d', 3, true, dims, weightDims, options as never),
  interpolate: (dims: readonly number[], options: InterpolateOptions): number[] =>
    interpolatePlan('interpolate', shape(dims), options).outDims.slice(),
  interpolateArgmax: (dims: readonly number[], options: InterpolateArgmaxOptions): number[] =>
    interpolateArgmaxPlan('interpolateArgmax', shape(dims), options).outDims.slice(),
  interpolateQuantize: (dims: readonly number[], options: InterpolateQuantizeOptions): number[] =>
    interpolateQuantizePlan('interpolateQuantize', shape(dims), options).outDims.slice(),
  interpolateSoftmax: (dims: readonly number[], options: InterpolateSoftmaxOptions): number[] =>
    interpolateSoftmaxPlan('interpolateSoftmax', shape(dims), options).outDims.slice(),
  interpolateThreshold: (dims: readonly number[], options: InterpolateThresholdOptions): number[] =>
    interpolateThresholdPlan('interpolateThreshold', shape(dims), options).outDims.slice(),
  pixelShuffle: (dims: readonly number[], options: PixelShuffleOptions): number[] =>
    pixelShufflePlan('pixelShuffle', shape(dims), options).outDims.slice(),
  pixelUnshuffle: (dims: readonly number[], options: PixelUnshuffleOptions): number[] =>
    pixelUnshufflePlan('pixelUnshuffle', shape(dims), options).outDims.slice(),
  maxPool1d: (dims: readonly number[], options: MaxPoolOptions): number[] => maxPoolDims(1, dims, options),
  avgPool1d: (dims: readonly number[], options: AvgPoolOptions): number[] => avgPoolDims(1, dims, options),
  maxUnpool1d: (dims: readonly number[], options: MaxUnpoolOptions): number[] =>
    maxUnpoolDims(1, dims, options),
  adaptiveAvgPool1d: (dims: readonly number[], options: AdaptiveAvgPoolOptions): number[] =>
    adaptiveDims('adaptiveAvgPool1d', 1, dims, options),
  adaptiveMaxPool1d: (dims: readonly number[], options: AdaptiveMaxPoolOptions): number[] =>
    adaptiveDims('adaptiveMaxPool1d', 1, dims, options),
  maxPool2d: (dims: readonly number[], options: MaxPoolOptions): number[] => maxPoolDims(2, dims, options),
  avgPool2d: (dims: readonly number[], options: AvgPoolOptions): number[] => avgPoolDims(2, dims, options),
  maxUnpool2d: (dims: readonly number[], options: MaxUnpoolOptions): number[] =>
    maxUnpoolDims(2, dims, options),
  adaptiveAvgPool2d: (dims: readonly number[], options: AdaptiveAvgPoolOptions): number[] =>
    adaptiveDims('adaptiveAvgPool2d', 2, dims, options),
  adaptiveMaxPool2d: (dims: readonly number[], options: AdaptiveMaxPoolOptions): number[] =>
    adaptiveDims('adaptiveMaxPool2d', 2, dims, options),
  maxPool3d: (dims: readonly number[], options: MaxPoolOptions): number[] => maxPoolDims(3, dims, options),
  avgPool3d: (dims: readonly number[], options: AvgPoolOptions): number[] => avgPoolDims(3, dims, options),
  maxUnpool3d: (dims: readonly number[], options: MaxUnpoolOptions): number[] =>
    maxUnpoolDims(3, dims, options),
  adaptiveAvgPool3d: (dims: readonly number[], options: AdaptiveAvgPoolOptions): number[] =>
    adaptiveDims('adaptiveAvgPool3d', 3, dims, options),
  adaptiveMaxPool3d: (dims: readonly number[], options: AdaptiveMaxPoolOptions): number[] =>
    adaptiveDims('adaptiveMaxPool3d', 3, dims, options),
};

const shape = (dims: readonly number[]) => ({ type: 'float32' as const, dims: dims as number[] });
