/** upsampling/onnx: the operators in ONNX's words: inputs by position, attributes as the operator pages spell them. */
export { type AveragePoolAttributes, averagePool, averagePoolSync } from './onnx/average-pool.js';
export type { OnnxInputs, OnnxOptions, OnnxRunOptions } from './onnx/call.js';
export { type ConvAttributes, conv, convSync } from './onnx/conv.js';
export { type ConvTransposeAttributes, convTranspose, convTransposeSync } from './onnx/conv-transpose.js';
export { type DepthToSpaceAttributes, depthToSpace, depthToSpaceSync } from './onnx/depth-to-space.js';
export { type GridSampleAttributes, gridSample, gridSampleSync } from './onnx/grid-sample.js';
export { type MaxPoolAttributes, maxPool, maxPoolSync } from './onnx/max-pool.js';
export { type MaxUnpoolAttributes, maxUnpool, maxUnpoolSync } from './onnx/max-unpool.js';
export { type OnnxShapes, outputDims } from './onnx/output-dims.js';
export { type ResizeAttributes, resize, resizeSync } from './onnx/resize.js';
export { type SpaceToDepthAttributes, spaceToDepth, spaceToDepthSync } from './onnx/space-to-depth.js';
export { type UpsampleAttributes, upsample, upsampleSync } from './onnx/upsample.js';
