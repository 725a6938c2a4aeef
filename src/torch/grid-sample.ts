/** torch.nn.functional.grid_sample (PyTorch 2.13). */
import { flag, knownOptions, oneOf, rank } from '../check.js';
import { mustBe, refuse } from '../errors.js';
import { type AsyncOptions, type Call, firstOf, type RunOptions, run, runSync } from '../execute.js';
import { planned } from '../plan/cache.js';
import { type GridSamplePlan, planGridSample } from '../plan/grid-sample.js';
import { asTensor, type DataType, type Layout, type Tensor, type TensorLike } from '../tensor.js';

export interface GridSampleOptions {
  /** Default 'bilinear' (trilinear for 5-D inputs); 'bicubic' for 4-D inputs only. */
  readonly mode?: 'bilinear' | 'nearest' | 'bicubic' | undefined;
  /** What stands outside the image. Default 'zeros'. */
  readonly paddingMode?: 'zeros' | 'border' | 'reflection' | undefined;
  /** -1 and 1 are the centres of the corner pixels instead of their outer edges. Default false. */
  readonly alignCorners?: boolean | undefined;
  /** Memory order of input and output. Default 'nchw'. */
  readonly layout?: Layout | undefined;
  /** Write the result here instead of allocating it. */
  readonly out?: TensorLike | undefined;
}

const OPTIONS = ['mode', 'paddingMode', 'alignCorners', 'layout', 'out', 'threads', 'signal'];
const FILTER = { nearest: 'nearest', bilinear: 'linear', bicubic: 'cubic' } as const;
/** Types that can be computed with; the rest can only be moved. */
const NUMERIC: readonly DataType[] = ['float32', 'float64', 'float16', 'uint8', 'int8'];

type Shape = Pick<Tensor, 'type' | 'dims'>;

/** What every dialect asks of an image and its grid. */
export function checkGrid(
  op: string,
  x: Shape,
  grid: Shape,
  names: readonly [string, string],
  layout: Layout,
  moves: boolean,
): void {
  const [input, points] = names;
  const axes = x.dims.length - 2;
  const sizes = layout === 'nchw' ? x.dims.slice(2) : x.dims.slice(1, -1);
  if (x.dims.slice(1).some((d) => d === 0))
    refuse(
      op,
      `${input}.dims`,
      `${input} must have no empty axis but the batch, got [${x.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  if (sizes.reduce((a, b) => a * b, 1) > 0x7fffffff)
    refuse(
      op,
      `${input}.dims`,
      `${input} must have fewer than 2^31 pixels, got [${x.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  if (!moves && !NUMERIC.includes(x.type))
    mustBe(
      op,
      `${input}.type`,
      `one of ${NUMERIC.join(', ')} unless the mode is nearest`,
      x.type,
      'ERR_UPSAMPLING_TYPE',
    );
  if (!['float32', 'float64', 'float16'].includes(grid.type))
    mustBe(op, `${points}.type`, 'float32, float64 or float16', grid.type, 'ERR_UPSAMPLING_TYPE');
  if (grid.dims.length !== x.dims.length || grid.dims[0] !== x.dims[0] || grid.dims[axes + 1] !== axes)
    refuse(
      op,
      `${points}.dims`,
      `${points} must have dims [${x.dims[0]}, ${axes} output extents, ${axes}], got [${grid.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
}

/** The plan for an image and a grid of these dims; shared by the call and by outputDims. */
export function gridSamplePlan(
  op: string,
  x: Shape,
  grid: Shape,
  o: GridSampleOptions | undefined,
): GridSamplePlan {
  knownOptions(op, o, OPTIONS);
  rank(op, 'input', x.dims, [4, 5]);
  const mode =
    o?.mode === undefined
      ? 'bilinear'
      : oneOf(op, 'mode', o.mode, ['bilinear', 'nearest', 'bicubic'] as const);
  const padding =
    o?.paddingMode === undefined
      ? 'zeros'
      : oneOf(op, 'paddingMode', o.paddingMode, ['zeros', 'border', 'reflection'] as const);
  const layout = o?.layout === undefined ? 'nchw' : oneOf(op, 'layout', o.layout, ['nchw', 'nhwc'] as const);
  const alignCorners = flag(op, 'alignCorners', o?.alignCorners, false);
  if (mode === 'bicubic' && x.dims.length === 5)
    refuse(op, 'mode', `mode bicubic must have an input of 4 dimensions, got [${x.dims.join(', ')}]`);
  checkGrid(op, x, grid, ['input', 'grid'], layout, mode === 'nearest');
  return planGridSample({
    type: x.type,
    dims: x.dims,
    gridType: grid.type as 'float32',
    gridDims: grid.dims,
    layout,
    filter: FILTER[mode],
    padding,
    alignCorners,
    roundsFirst: false,
  });
}

export function describeGridSample(
  input: TensorLike,
  grid: TensorLike,
  options?: GridSampleOptions & AsyncOptions,
): Call<Tensor, 'gridSample'> {
  const op = 'gridSample';
  const x = asTensor(op, 'input', input);
  const g = asTensor(op, 'grid', grid);
  const plan = planned(op, [x, g], options, () => gridSamplePlan(op, x, g, options));
  return {
    op,
    kernel: 'gridSample',
    plan,
    inputs: [x.data, g.data],
    outputs: [{ param: 'out', type: x.type, dims: plan.outDims, out: options?.out }],
    options,
    finish: firstOf,
  };
}

/**
 * Reads an image where a grid says: out[n, c, p] = in[n, c, ((g + 1)·size - 1)/2] for the grid point g = grid[n, p], or
 * (g + 1)/2·(size - 1) with alignCorners, interpolated between pixels.
 *
 * Input (N, C, H, W) or (N, C, D, H, W), with `layout: 'nhwc'` channels last; grid (N, OH, OW, 2) or (N, OD, OH, OW, 3), x
 * first, of float32, float64 or float16. Output (N, C, OH, OW) and so on, of the input's type. nearest takes every element
 * type and keeps the bits; bilinear and bicubic take float32, float64, float16 (computed in float32, rounded once), uint8
 * and int8 (rounded half to even, clamped).
 *
 * Throws ArgumentError for wrong ranks, shapes, modes and types, before anything is written.
 * Source: torch.nn.functional.grid_sample, PyTorch 2.13.
 */
export function gridSample(
  input: TensorLike,
  grid: TensorLike,
  options?: GridSampleOptions & AsyncOptions,
): Promise<Tensor> {
  return run(() => describeGridSample(input, grid, options));
}

/** `gridSample`, computed before it returns. */
export function gridSampleSync(
  input: TensorLike,
  grid: TensorLike,
  options?: GridSampleOptions & RunOptions,
): Tensor {
  return runSync(describeGridSample(input, grid, options));
}
