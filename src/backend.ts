/**
 * What computes. One interface, two implementations: src/reference (the definition, float64) and the addon.
 * The tests run every case on both.
 */
import type { AvgPool2dPlan } from './plan/avg-pool2d.js';
import type { ConvPlan } from './plan/conv2d.js';
import type { GridSamplePlan } from './plan/grid-sample.js';
import type { InterpolatePlan } from './plan/interpolate.js';
import type { InterpolateArgmaxPlan } from './plan/interpolate-argmax.js';
import type { InterpolateQuantizePlan } from './plan/interpolate-quantize.js';
import type { InterpolateSoftmaxPlan } from './plan/interpolate-softmax.js';
import type { InterpolateThresholdPlan } from './plan/interpolate-threshold.js';
import type { MaskRunsPlan } from './plan/mask-runs.js';
import type { MaxPool2dPlan } from './plan/max-pool2d.js';
import type { MaxUnpool2dPlan } from './plan/max-unpool2d.js';
import type { PixelShufflePlan } from './plan/pixel-shuffle.js';
import type { PixelUnshufflePlan } from './plan/pixel-unshuffle.js';
import type { TypedArray } from './tensor.js';

/** The plan of every operator, by the operator's name. To add an operator, add its line and follow the compiler. */
export interface Plans {
  avgPool2d: AvgPool2dPlan;
  gridSample: GridSamplePlan;
  conv2d: ConvPlan;
  convTranspose2d: ConvPlan;
  interpolate: InterpolatePlan;
  resizeConv2d: ConvPlan;
  maxPool2d: MaxPool2dPlan;
  maxUnpool2d: MaxUnpool2dPlan;
  pixelShuffle: PixelShufflePlan;
  pixelUnshuffle: PixelUnshufflePlan;
  interpolateArgmax: InterpolateArgmaxPlan;
  interpolateQuantize: InterpolateQuantizePlan;
  interpolateSoftmax: InterpolateSoftmaxPlan;
  interpolateThreshold: InterpolateThresholdPlan;
  maskRuns: MaskRunsPlan;
}

export type OpName = keyof Plans;

/** Reads `inputs`, fills `outputs`, both flat in the order the plan's file gives. Trusts the plan. */
export type Backend = {
  readonly [K in OpName]: (
    plan: Plans[K],
    inputs: readonly TypedArray[],
    outputs: readonly TypedArray[],
  ) => void;
};

export { BackendFailure } from './native/failure.js';
