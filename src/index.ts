/** upsampling: PyTorch's functional upsampling family for Node.js. Every operator is asynchronous, or blocking as …Sync. */
export {
  analyzeCheckerboard,
  type CheckerboardOptions,
  type CheckerboardReport,
  type CheckerboardVerdict,
  type Curve,
  nextEvenKernel,
} from './analysis/checkerboard.js';
export {
  type BilinearWeightsOptions,
  bilinearWeights,
  type IcnrOptions,
  icnr,
} from './analysis/initialisers.js';
export type { ExpandingKind, ExpandingLayerOptions } from './analysis/layer.js';
export {
  type MeasuredCheckerboard,
  type MeasuredLine,
  type MeasureOptions,
  measureCheckerboard,
} from './analysis/measure.js';
export {
  appendBoxFilter,
  checkerboardRemedies,
  type EqualizeOptions,
  equalizePhaseGain,
  projectIcnr,
  type Remedy,
  type ResizeConvRewrite,
  type RewrittenLayer,
  type ToResizeConvOptions,
  toResizeConv,
} from './analysis/remedies.js';
export type { OperationEvent } from './diagnostics.js';
export { ArgumentError, type ErrorCode } from './errors.js';
export type { AsyncOptions, RunOptions } from './execute.js';
export type { QueueStats } from './native/addon.js';
export { outputDims } from './output-dims.js';
export type { IndexConvention } from './plan/convert-indices.js';
export { runtime } from './runtime.js';
export { StreamError, type StreamOptions, stream } from './stream.js';
export type { DataType, Layout, Tensor, TensorLike, TypedArray } from './tensor.js';
export { type TensorPool, type TensorPoolOptions, tensorPool } from './tensor-pool.js';
export {
  type AdaptiveAvgPoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool1dSync,
  adaptiveAvgPool2d,
  adaptiveAvgPool2dSync,
  adaptiveAvgPool3d,
  adaptiveAvgPool3dSync,
} from './torch/adaptive-avg-pool2d.js';
export {
  type AdaptiveMaxPoolOptions,
  type AdaptiveMaxPoolWithIndicesOptions,
  adaptiveMaxPool1d,
  adaptiveMaxPool1dSync,
  adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool1dWithIndicesSync,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dSync,
  adaptiveMaxPool2dWithIndices,
  adaptiveMaxPool2dWithIndicesSync,
  adaptiveMaxPool3d,
  adaptiveMaxPool3dSync,
  adaptiveMaxPool3dWithIndices,
  adaptiveMaxPool3dWithIndicesSync,
} from './torch/adaptive-max-pool2d.js';
export {
  type AvgPoolOptions,
  avgPool1d,
  avgPool1dSync,
  avgPool2d,
  avgPool2dSync,
  avgPool3d,
  avgPool3dSync,
} from './torch/avg-pool2d.js';
export {
  type ConvTransposeLayerOptions,
  type ConvTransposeOptions,
  convTranspose1d,
  convTranspose1dSync,
  convTranspose2d,
  convTranspose2dSync,
  convTranspose3d,
  convTranspose3dSync,
  prepareConvTranspose2d,
} from './torch/conv-transpose2d.js';
export {
  type ConvLayerOptions,
  type ConvOptions,
  conv1d,
  conv1dSync,
  conv2d,
  conv2dSync,
  conv3d,
  conv3dSync,
  prepareConv2d,
} from './torch/conv2d.js';
export { type ConvertIndicesOptions, convertIndices } from './torch/convert-indices.js';
export { type GridSampleOptions, gridSample, gridSampleSync } from './torch/grid-sample.js';
export {
  type InterpolateMode,
  type InterpolateOptions,
  interpolate,
  interpolateSync,
} from './torch/interpolate.js';
export {
  type ArgmaxOut,
  type ArgmaxResult,
  type ClassType,
  type InterpolateArgmaxOptions,
  interpolateArgmax,
  interpolateArgmaxSync,
} from './torch/interpolate-argmax.js';
export {
  type InterpolateQuantizeOptions,
  interpolateQuantize,
  interpolateQuantizeSync,
} from './torch/interpolate-quantize.js';
export {
  type InterpolateSoftmaxOptions,
  interpolateSoftmax,
  interpolateSoftmaxSync,
} from './torch/interpolate-softmax.js';
export {
  type InterpolateThresholdOptions,
  interpolateThreshold,
  interpolateThresholdSync,
} from './torch/interpolate-threshold.js';
export type { MaskRle } from './torch/mask-runs.js';
export {
  type MaxPoolOptions,
  type MaxPoolWithIndicesOptions,
  maxPool1d,
  maxPool1dSync,
  maxPool1dWithIndices,
  maxPool1dWithIndicesSync,
  maxPool2d,
  maxPool2dSync,
  maxPool2dWithIndices,
  maxPool2dWithIndicesSync,
  maxPool3d,
  maxPool3dSync,
  maxPool3dWithIndices,
  maxPool3dWithIndicesSync,
} from './torch/max-pool2d.js';
export {
  type MaxUnpoolOptions,
  maxUnpool1d,
  maxUnpool1dSync,
  maxUnpool2d,
  maxUnpool2dSync,
  maxUnpool3d,
  maxUnpool3dSync,
} from './torch/max-unpool2d.js';
export { type PixelShuffleOptions, pixelShuffle, pixelShuffleSync } from './torch/pixel-shuffle.js';
export { type PixelUnshuffleOptions, pixelUnshuffle, pixelUnshuffleSync } from './torch/pixel-unshuffle.js';
export type { PreparedConvolution, PreparedOptions } from './torch/prepared.js';
export {
  prepareResizeConv2d,
  type ResizeConvLayerOptions,
  type ResizeConvOptions,
  resizeConv2d,
  resizeConv2dSync,
} from './torch/resize-conv2d.js';
export type { FusedResizeOptions, Targets } from './torch/resized.js';
export type { OutWithIndices, PooledWithIndices } from './torch/window-options.js';
