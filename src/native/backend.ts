/** The Backend that the addon is. */
import type { Backend, OpName, Plans } from '../backend.js';
import type { TypedArray } from '../tensor.js';
import { addon } from './addon.js';
import { packAvgPool2d } from './avg-pool2d.js';
import { packConvolution } from './conv2d.js';
import { BackendFailure } from './failure.js';
import { packGridSample } from './grid-sample.js';
import { packInterpolate } from './interpolate.js';
import { packInterpolateArgmax } from './interpolate-argmax.js';
import { packInterpolateQuantize } from './interpolate-quantize.js';
import { packInterpolateSoftmax } from './interpolate-softmax.js';
import { packInterpolateThreshold } from './interpolate-threshold.js';
import { packMaskRuns } from './mask-runs.js';
import { packMaxPool2d } from './max-pool2d.js';
import { packMaxUnpool2d } from './max-unpool2d.js';
import { packPixelShuffle } from './pixel-shuffle.js';
import { packPixelUnshuffle } from './pixel-unshuffle.js';

const PACKERS: { readonly [K in OpName]: (plan: Plans[K]) => Float64Array } = {
  avgPool2d: packAvgPool2d,
  gridSample: packGridSample,
  conv2d: packConvolution,
  convTranspose2d: packConvolution,
  resizeConv2d: packConvolution,
  interpolate: packInterpolate,
  maxPool2d: packMaxPool2d,
  maxUnpool2d: packMaxUnpool2d,
  pixelShuffle: packPixelShuffle,
  pixelUnshuffle: packPixelUnshuffle,

  interpolateArgmax: packInterpolateArgmax,
  interpolateQuantize: packInterpolateQuantize,
  interpolateSoftmax: packInterpolateSoftmax,
  interpolateThreshold: packInterpolateThreshold,
  maskRuns: packMaskRuns,
};

const packed = new WeakMap<object, Float64Array>();

/** The plan as one array; packed once for each plan object. */
export function packPlan(op: OpName, plan: object): Float64Array {
  let p = packed.get(plan);
  if (p === undefined) {
    p = (PACKERS[op] as (plan: object) => Float64Array)(plan);
    packed.set(plan, p);
  }
  return p;
}

/** Status codes of native/runtime/context.h; the detail stands above the low four bits. */
const OUT_OF_MEMORY = 2;

/** What a status says. */
export function failure(status: number): BackendFailure {
  const code = status % 16;
  return new BackendFailure(code === OUT_OF_MEMORY ? 'memory' : 'index', Math.floor(status / 16));
}

function backendWith(threads: number): Backend {
  const entries = (Object.keys(PACKERS) as OpName[]).map((op) => {
    const operator = addon()[op];
    return [
      op,
      (plan: object, inputs: readonly TypedArray[], outputs: readonly TypedArray[]) => {
        const words = packPlan(op, plan);
        const [a, b, c] = inputs;
        const [d, e] = outputs;
        // The usual numbers of arrays are written out: spreading two lists takes as long as a tiny call.
        const ins = inputs.length;
        const single = outputs.length === 1;
        const status =
          single && ins === 1
            ? operator(words, threads, 0, a, d)
            : single && ins === 2
              ? operator(words, threads, 0, a, b, d)
              : single && ins === 3
                ? operator(words, threads, 0, a, b, c, d)
                : ins === 1 && outputs.length === 2
                  ? operator(words, threads, 0, a, d, e)
                  : operator(words, threads, 0, ...inputs, ...outputs);
        if (status !== undefined) throw failure(status);
      },
    ];
  });
  return Object.fromEntries(entries) as Backend;
}

const backends = new Map<number, Backend>();

/** The addon as a Backend that uses up to `threads` threads (0: as many as runtime.threads). */
export function native(threads: number): Backend {
  let b = backends.get(threads);
  if (b === undefined) {
    b = backendWith(threads);
    backends.set(threads, b);
  }
  return b;
}

/** Asks for huge pages under a large result that nobody has written to yet. */
export function adviseHugePages(array: TypedArray): void {
  addon().adviseHugePages(array);
}
