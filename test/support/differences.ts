/** Where we differ on purpose, from whom and why: data for the golden tests and for the parity table. */
import type { GoldenCase } from './golden.js';

export interface Difference {
  readonly operator: string;
  readonly from: string;
  readonly what: string;
  readonly why: string;
  /** The golden vectors it concerns, where PyTorch's answer is not expected. */
  readonly golden?: (c: GoldenCase) => boolean;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    operator: 'interpolate',
    from: 'PyTorch 2.13',
    what: '`antialias` onto an image one column wide: every row is resized as any other; PyTorch repeats row 0',
    why: 'an error of PyTorch: the same image two columns wide has the right rows there',
    golden: (c) =>
      c.op === 'interpolate' &&
      c.options.antialias === true &&
      c.out[0]!.at(-1) === 1 &&
      c.inputs[0]!.dims.at(-1) !== 1 &&
      c.inputs[0]!.dims.at(-2) !== c.out[0]!.at(-2) &&
      c.out[0]!.at(-2)! > 1,
  },
  {
    operator: 'interpolate',
    from: 'PyTorch 2.13',
    what: 'linear, cubic and antialias weights are computed in float64 and rounded once, PyTorch computes them in float32',
    why: 'nearer to the definition; the difference is a few units in the last place and grows with the extent of the image',
  },
  {
    operator: 'interpolate',
    from: 'PyTorch 2.13',
    what: 'linear, cubic and antialias on uint8 are computed in float32 and rounded once; PyTorch rounds and clamps to bytes between the axes',
    why: "ours is PyTorch's own float32 result rounded; theirs is off by 1, and by up to 19 of 255 where the first axis of a cubic overshoots",
  },
  {
    operator: 'interpolate',
    from: 'PyTorch 2.13',
    what: 'a NaN or an infinity does not reach an output whose weight for it is 0',
    why: '0 · ∞ is no part of the definition: a copied pixel stays as it is',
  },
  {
    operator: 'maxPool3dWithIndices',
    from: 'PyTorch 2.13',
    what: 'uint8 with channels last: the index of a window that holds only zeros is its first element; PyTorch names one outside the window',
    why: 'an error of PyTorch, which with channels first names the first element too',
    golden: (c) => c.op === 'maxPool3dWithIndices' && c.inputs[0]!.seed === 1536533052,
  },
  {
    operator: 'maxUnpool',
    from: 'PyTorch 2.13',
    what: 'where several values return to one cell, the last in row-major order stands',
    why: 'PyTorch leaves the winner open; ours is the same at every thread count',
  },
  {
    operator: 'onnx.maxPool',
    from: "onnxruntime, ONNX's reference",
    what: 'NaN wins a window',
    why: "the standard is silent; PyTorch's rule loses nothing, theirs hides a NaN",
  },
  {
    operator: 'onnx.maxUnpool',
    from: 'onnxruntime, PyTorch',
    what: 'indices with `output_shape` count in the inferred shape',
    why: "ONNX's reference and its node test `maxunpool_export_with_output_shape` do so",
  },
  {
    operator: 'onnx.resize',
    from: 'onnxruntime',
    what: '`align_corners` and `tf_crop_and_resize` with scales divide by in · scale − 1, and equal lengths are interpolated when the factor is not 1',
    why: "ONNX's reference and its node tests `downsample_scales_{linear,cubic}_align_corners` do so",
  },
  {
    operator: 'onnx.resize',
    from: "ONNX's reference",
    what: 'positions more than the filter beyond the edge read the edge pixel (only `keep_aspect_ratio_policy` reaches there)',
    why: 'the standard says that edges are repeated; the reference runs out of its padding',
  },
  {
    operator: 'onnx.resize, upsample',
    from: "onnxruntime, ONNX's reference",
    what: 'linear and cubic on integers are rounded half to even and clamped; theirs cut the fraction off, and cubic leaves the range of the type',
    why: 'the standard is silent; a cut off fraction darkens by half a step, and the eight-bit types of every other operator are rounded',
  },
  {
    operator: 'onnx.maxPool, averagePool, conv',
    from: 'onnxruntime',
    what: 'SAME_UPPER and SAME_LOWER give ceil(in / stride) outputs with dilation too, and never negative padding',
    why: "that is the standard's text",
  },
];

/** True where PyTorch's answer to a golden case is not ours on purpose. */
export const differsOnPurpose = (c: GoldenCase): boolean => DIFFERENCES.some((d) => d.golden?.(c) === true);
