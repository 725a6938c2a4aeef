import { resizedPixels } from '../../src/reference/resized.js';
import {
  describeInterpolateThreshold,
  type InterpolateThresholdOptions,
  interpolateThresholdSync,
} from '../../src/torch/interpolate-threshold.js';
import { interpolated, isWhole, resizeBound } from '../support/fused.js';
import { type Args, defineOp, product } from '../support/operator.js';
import type { Random } from '../support/random.js';

const TYPES = ['float32', 'float64', 'float16', 'uint8', 'int8'] as const;
const MODES = ['nearest', 'bilinear', 'bicubic', 'area'] as const;

const args = (
  dims: readonly number[],
  options: InterpolateThresholdOptions,
  type: (typeof TYPES)[number] = 'float32',
): Args => ({
  tensors: [{ type, dims, seed: 3, fill: 'special' }],
  options: options as Record<string, unknown>,
});

function samples(): Args[] {
  const out: Args[] = [];
  for (const { mode, size, pack } of product({
    mode: MODES,
    size: [
      [8, 12],
      [3, 2],
      [11, 37],
      [1, 8],
    ],
    pack: ['bytes', 'bits'] as const,
  }))
    out.push(
      args([2, 3, 5, 6], { mode, size, pack }),
      args([2, 3, 5, 6], { mode, size, pack, sigmoid: true, threshold: 0.6, keep: [2, 0] }),
    );
  for (const { type, pack } of product({ type: TYPES, pack: ['bytes', 'bits'] as const })) {
    const o = { mode: 'bilinear', size: [21, 33], pack } as const;
    out.push(
      args([1, 4, 7, 9], { ...o, threshold: 0.25 }, type),
      args(
        [1, 4, 7, 9],
        {
          ...o,
          keep: [1, 1, 3],
          boxes: [
            [0, 0, 21, 33],
            [3.5, 9.2, 17, 30.9],
            [5, 5, 5, 5],
          ],
        },
        type,
      ),
      args([1, 4, 7, 9], { ...o, crop: [0.5, 1.5, 6, 8], threshold: 0.1 }, type),
      args([1, 4, 7, 9], { ...o, roi: [2, 3, 9, 20] }, type),
      args([2, 7, 9, 4], { ...o, layout: 'nhwc' }, type),
      args([2, 7, 9, 4], { ...o, layout: 'nhwc', keep: [3, 1], crop: [0.5, 1.5, 6, 8] }, type),
      args([1, 40, 70, 3], { ...o, layout: 'nhwc', mode: 'area', size: [9, 20] }, type),
    );
  }
  out.push(args([0, 2, 3, 4], { size: 5 }));
  return out;
}

function random(r: Random): Args {
  const [c, h, w] = [r.int(1, 4), r.int(1, 20), r.int(1, 40)];
  const [oh, ow] = [r.int(1, 50), r.int(1, 90)];
  const layout = r.pick(['nchw', 'nhwc'] as const);
  const options: Record<string, unknown> = {
    mode: r.pick(MODES),
    size: [oh, ow],
    pack: r.pick(['bytes', 'bits']),
    layout,
  };
  const keep = Array.from({ length: r.int(1, 3) }, () => r.int(0, c - 1));
  if (r.chance(0.5)) options.keep = keep;
  if (r.chance(0.5))
    options.boxes = Array.from({ length: options.keep === undefined ? c : keep.length }, () => {
      const [y, x] = [r.int(0, oh), r.int(0, ow)];
      return [y, x, r.int(y, oh), r.int(x, ow)];
    });
  return {
    tensors: [
      {
        type: r.pick(TYPES),
        dims: layout === 'nchw' ? [1, c, h, w] : [1, h, w, c],
        seed: r.int(1, 1e9),
        fill: r.pick(['uniform', 'special']),
      },
    ],
    options,
  };
}

const bad =
  (options: unknown, dims: readonly number[] = [1, 3, 2, 2]) =>
  () =>
    interpolateThresholdSync({ data: new Float32Array(64), dims } as never, options as never);
const OPTION = 'ERR_UPSAMPLING_OPTION';

export default defineOp({
  name: 'interpolateThreshold',
  kernel: 'interpolateThreshold',
  describe: ([masks], options) =>
    describeInterpolateThreshold(masks!, options as InterpolateThresholdOptions),
  family: () => 'interpolation',
  samples,
  random,
  judge: ({ plan, inputs }, [out]) => {
    const { resized, source, boxes, threshold, bits } = plan;
    const whole = isWhole(resized);
    const values = (whole ? interpolated : resizedPixels)(resized, inputs[0]!);
    const masks = resized.channels * resized.inner;
    const bound = resizeBound(resized, inputs[0]!);
    const [height, width] = resized.axes.map((a) => a.outSize) as [number, number];
    const rowBytes = bits ? Math.ceil(width / 8) : width;
    for (const [p, plane] of source.entries())
      for (let y = 0; y < height; y++)
        for (let x = 0; x < rowBytes * (bits ? 8 : 1); x++) {
          const row = (p * height + y) * rowBytes;
          const got = bits
            ? ((out![row + (x >> 3)] as number) >> (7 - (x & 7))) & 1
            : (out![row + x] as number);
          const [top, left, bottom, right] = Array.from(boxes.subarray(4 * p, 4 * p + 4));
          const inside = y >= top! && y < bottom! && x >= left! && x < right!;
          const image = Math.floor(plane / masks);
          const channel = plane % masks;
          const v = inside ? values(image, y * width + x)[channel]! : NaN;
          if (got === Number(v > threshold)) continue;
          if (!whole && Math.abs(v - threshold) <= bound(image, y * width + x)[channel]!) continue;
          return `mask ${p} at [${y}, ${x}]: got ${got} for the value ${v}${inside ? '' : ', outside its box'}`;
        }
    return undefined;
  },
  errors: [
    {
      name: 'nothing to keep',
      call: bad({ size: 4, keep: [] }),
      code: OPTION,
      message: /keep must be a list of at least one mask from 0 to 2, got \[\]/,
    },
    {
      name: 'a mask that is not there',
      call: bad({ size: 4, keep: [3] }),
      code: OPTION,
      message: /keep must be .* got \[3\]/,
    },
    {
      name: 'too few boxes',
      call: bad({ size: 4, boxes: [[0, 0, 1, 1]] }),
      code: OPTION,
      message: /boxes must be a list of 3 boxes/,
    },
    {
      name: 'a box outside',
      call: bad({ size: 4, keep: [0], boxes: [[0, 0, 5, 4]] }),
      code: OPTION,
      message: /boxes\[0\] must be \[y0, x0, y1, x1\] inside the output of \[4, 4\], got \[0, 0, 5, 4\]/,
    },
    {
      name: 'a probability above 1',
      call: bad({ size: 4, sigmoid: true, threshold: 1.5 }),
      code: OPTION,
      message: /threshold must be between 0 and 1/,
    },
    {
      name: 'Infinity as threshold',
      call: bad({ size: 4, threshold: Infinity }),
      code: OPTION,
      message: /threshold must be a finite number/,
    },
    {
      name: 'unknown packing',
      call: bad({ size: 4, pack: 'bit' }),
      code: OPTION,
      message: /pack must be one of bytes, bits/,
    },
    {
      name: 'out with run lengths',
      call: bad({ size: 4, rle: true, out: {} }),
      code: OPTION,
      message: /out must be left out with rle/,
    },
    {
      name: 'packed run lengths',
      call: bad({ size: 4, rle: true, pack: 'bits' }),
      code: OPTION,
      message: /pack must be left out with rle/,
    },
    {
      name: 'unknown run lengths',
      call: bad({ size: 4, rle: 'coco' }),
      code: OPTION,
      message: /rle must be one of string/,
    },
    {
      name: 'an unknown layout',
      call: bad({ size: 4, layout: 'chw' }),
      code: OPTION,
      message: /layout must be one of nchw, nhwc/,
    },
    {
      name: 'a mask that is not there, channels last',
      call: bad({ size: 4, layout: 'nhwc', keep: [2] }),
      code: OPTION,
      message: /keep must be a list of at least one mask from 0 to 1, got \[2\]/,
    },
    {
      name: 'three axes',
      call: bad({ size: 4 }, [1, 3, 2]),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /input must have 4 dimensions/,
    },
    {
      name: 'sizes that overflow',
      call: bad({ size: 2 ** 31 - 1 }),
      code: 'ERR_UPSAMPLING_MEMORY',
      message: /more than this machine has/,
    },
    {
      name: 'too few targets',
      call: bad({ targets: [] }),
      code: OPTION,
      message: /targets must be a list of 1 targets/,
    },
    {
      name: 'a target with a mode',
      call: bad({ targets: [{ size: 2, mode: 'area' }] }),
      code: OPTION,
      message: /unknown option "mode"/,
    },
    {
      name: 'out with targets',
      call: bad({ targets: [{ size: 2 }], out: {} }),
      code: OPTION,
      message: /out must be left out with targets/,
    },
  ],
});
