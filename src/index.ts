/** upsampling: PyTorch's functional upsampling family for Node.js. Every operator is asynchronous, or blocking as …Sync. */
export { ArgumentError, type ErrorCode } from './errors.js';
export type { AsyncOptions, RunOptions } from './execute.js';
export { runtime } from './runtime.js';
export type { DataType, Layout, Tensor, TensorLike, TypedArray } from './tensor.js';
export {
  type InterpolateMode,
  type InterpolateOptions,
  interpolate,
  interpolateSync,
} from './torch/interpolate.js';
