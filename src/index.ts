/** upsampling: PyTorch's functional upsampling family for Node.js. Every operator is asynchronous, or blocking as …Sync. */
export { ArgumentError, type ErrorCode } from './errors.js';
export type { AsyncOptions, RunOptions } from './execute.js';
export { outputDims } from './output-dims.js';
export { runtime } from './runtime.js';
export type { DataType, Layout, Tensor, TensorLike, TypedArray } from './tensor.js';
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
export { type PixelShuffleOptions, pixelShuffle, pixelShuffleSync } from './torch/pixel-shuffle.js';
export { type PixelUnshuffleOptions, pixelUnshuffle, pixelUnshuffleSync } from './torch/pixel-unshuffle.js';
export type { FusedResizeOptions } from './torch/resized.js';
