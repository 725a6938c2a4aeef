/** The root functions on the reference backend: float64, slow, for checking and for teaching. Synchronous inside. */
import { type Call, runOn } from './execute.js';
import { reference } from './reference/index.js';
import type { TensorLike } from './tensor.js';
import {
  describeAdaptiveAvgPool1d,
  describeAdaptiveAvgPool2d,
  describeAdaptiveAvgPool3d,
} from './torch/adaptive-avg-pool2d.js';
import {
  describeAdaptiveMaxPool1d,
  describeAdaptiveMaxPool1dWithIndices,
  describeAdaptiveMaxPool2d,
  describeAdaptiveMaxPool2dWithIndices,
  describeAdaptiveMaxPool3d,
  describeAdaptiveMaxPool3dWithIndices,
} from './torch/adaptive-max-pool2d.js';
import { describeAvgPool1d, describeAvgPool2d, describeAvgPool3d } from './torch/avg-pool2d.js';
import { type ConvTransposeOptions, describeConvTranspose } from './torch/conv-transpose2d.js';
import { type ConvOptions, describeConv } from './torch/conv2d.js';
import { describeGridSample } from './torch/grid-sample.js';
import { describeInterpolate } from './torch/interpolate.js';
import { describeInterpolateArgmax } from './torch/interpolate-argmax.js';
import { describeInterpolateQuantize } from './torch/interpolate-quantize.js';
import { describeInterpolateSoftmax } from './torch/interpolate-softmax.js';
import { describeInterpolateThreshold } from './torch/interpolate-threshold.js';
import {
  describeMaxPool1d,
  describeMaxPool1dWithIndices,
  describeMaxPool2d,
  describeMaxPool2dWithIndices,
  describeMaxPool3d,
  describeMaxPool3dWithIndices,
} from './torch/max-pool2d.js';
import { describeMaxUnpool1d, describeMaxUnpool2d, describeMaxUnpool3d } from './torch/max-unpool2d.js';
import { describePixelShuffle } from './torch/pixel-shuffle.js';
import { describePixelUnshuffle } from './torch/pixel-unshuffle.js';
import { describeResizeConv2d } from './torch/resize-conv2d.js';

function onReference<A extends unknown[], R>(describe: (...args: A) => Call<R>) {
  return {
    now: (...args: A): R => runOn(reference, describe(...args)),
    later: async (...args: A): Promise<R> => runOn(reference, describe(...args)),
  };
}

export const { later: gridSample, now: gridSampleSync } = onReference(describeGridSample);
const conv = (n: number) => (input: TensorLike, weight: TensorLike, options?: ConvOptions) =>
  describeConv(n, input, weight, options);
const convTranspose =
  (n: number) => (input: TensorLike, weight: TensorLike, options?: ConvTransposeOptions) =>
    describeConvTranspose(n, input, weight, options);
export const { later: conv1d, now: conv1dSync } = onReference(conv(1));
export const { later: conv2d, now: conv2dSync } = onReference(conv(2));
export const { later: conv3d, now: conv3dSync } = onReference(conv(3));
export const { later: convTranspose1d, now: convTranspose1dSync } = onReference(convTranspose(1));
export const { later: convTranspose2d, now: convTranspose2dSync } = onReference(convTranspose(2));
export const { later: convTranspose3d, now: convTranspose3dSync } = onReference(convTranspose(3));
export const { later: resizeConv2d, now: resizeConv2dSync } = onReference(describeResizeConv2d);
export const { later: interpolate, now: interpolateSync } = onReference(describeInterpolate);
export const { later: pixelShuffle, now: pixelShuffleSync } = onReference(describePixelShuffle);
export const { later: pixelUnshuffle, now: pixelUnshuffleSync } = onReference(describePixelUnshuffle);
export const { later: interpolateArgmax, now: interpolateArgmaxSync } =
  onReference(describeInterpolateArgmax);
export const { later: avgPool1d, now: avgPool1dSync } = onReference(describeAvgPool1d);
export const { later: avgPool2d, now: avgPool2dSync } = onReference(describeAvgPool2d);
export const { later: avgPool3d, now: avgPool3dSync } = onReference(describeAvgPool3d);
export const { later: maxPool1d, now: maxPool1dSync } = onReference(describeMaxPool1d);
export const { later: maxPool2d, now: maxPool2dSync } = onReference(describeMaxPool2d);
export const { later: maxPool3d, now: maxPool3dSync } = onReference(describeMaxPool3d);
export const { later: maxPool1dWithIndices, now: maxPool1dWithIndicesSync } = onReference(
  describeMaxPool1dWithIndices,
);
export const { later: maxPool2dWithIndices, now: maxPool2dWithIndicesSync } = onReference(
  describeMaxPool2dWithIndices,
);
export const { later: maxPool3dWithIndices, now: maxPool3dWithIndicesSync } = onReference(
  describeMaxPool3dWithIndices,
);
export const { later: maxUnpool1d, now: maxUnpool1dSync } = onReference(describeMaxUnpool1d);
export const { later: maxUnpool2d, now: maxUnpool2dSync } = onReference(describeMaxUnpool2d);
export const { later: maxUnpool3d, now: maxUnpool3dSync } = onReference(describeMaxUnpool3d);
export const { later: adaptiveAvgPool1d, now: adaptiveAvgPool1dSync } =
  onReference(describeAdaptiveAvgPool1d);
export const { later: adaptiveAvgPool2d, now: adaptiveAvgPool2dSync } =
  onReference(describeAdaptiveAvgPool2d);
export const { later: adaptiveAvgPool3d, now: adaptiveAvgPool3dSync } =
  onReference(describeAdaptiveAvgPool3d);
export const { later: adaptiveMaxPool1d, now: adaptiveMaxPool1dSync } =
  onReference(describeAdaptiveMaxPool1d);
export const { later: adaptiveMaxPool2d, now: adaptiveMaxPool2dSync } =
  onReference(describeAdaptiveMaxPool2d);
export const { later: adaptiveMaxPool3d, now: adaptiveMaxPool3dSync } =
  onReference(describeAdaptiveMaxPool3d);
export const { later: adaptiveMaxPool1dWithIndices, now: adaptiveMaxPool1dWithIndicesSync } = onReference(
  describeAdaptiveMaxPool1dWithIndices,
);
export const { later: adaptiveMaxPool2dWithIndices, now: adaptiveMaxPool2dWithIndicesSync } = onReference(
  describeAdaptiveMaxPool2dWithIndices,
);
export const { later: adaptiveMaxPool3dWithIndices, now: adaptiveMaxPool3dWithIndicesSync } = onReference(
  describeAdaptiveMaxPool3dWithIndices,
);
export const { later: interpolateQuantize, now: interpolateQuantizeSync } =
  onReference(describeInterpolateQuantize);
export const { later: interpolateSoftmax, now: interpolateSoftmaxSync } =
  onReference(describeInterpolateSoftmax);
export const { later: interpolateThreshold, now: interpolateThresholdSync } = onReference(
  describeInterpolateThreshold,
);
