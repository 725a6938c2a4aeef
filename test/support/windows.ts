/** Random inputs and options of the sliding-window operators. */
import type { DataType } from '../../src/tensor.js';
import type { Args } from './operator.js';
import type { Random } from './random.js';
import type { TensorSpec } from './tensors.js';

/** One sample: an input of these dims, with many ties unless said otherwise. */
export const windowSample = (
  dims: readonly number[],
  options: object,
  type: DataType = 'float32',
  fill: TensorSpec['fill'] = 'special',
): Args => ({ tensors: [{ type, dims, seed: 7, fill }], options: { ...options } });

/** A random window on a random input, with 2 spatial axes. `pad` gives the most padding for an extent. */
export function randomWindow(r: Random, types: readonly DataType[], dilates: boolean): Args {
  const layout = r.pick(['nchw', 'nhwc'] as const);
  const c = r.pick([1, 2, 3, 4, 5, 8, 17, 33, 64]);
  const kernelSize = [r.int(1, 5), r.int(1, 5)];
  const dilation = dilates && r.chance(0.4) ? [r.int(1, 3), r.int(1, 3)] : [1, 1];
  const extent = kernelSize.map((k, i) => (k - 1) * dilation[i]! + 1);
  const padding = kernelSize.map((e) => (r.chance(0.5) ? 0 : r.int(0, Math.floor(e / 2))));
  const size = extent.map(
    (e, i) => Math.max(1, e - 2 * padding[i]!) + (r.chance(0.2) ? 0 : r.int(0, i === 0 ? 20 : 70)),
  );
  const options: Record<string, unknown> = { kernelSize, padding, layout };
  if (r.chance(0.7)) options.stride = [r.int(1, 5), r.int(1, 5)];
  if (r.chance(0.4)) options.ceilMode = true;
  if (dilates) options.dilation = dilation;
  return {
    tensors: [
      {
        type: r.pick(types),
        dims: layout === 'nchw' ? [r.int(1, 3), c, ...size] : [r.int(1, 3), ...size, c],
        seed: r.int(1, 1e9),
        fill: r.pick(['uniform', 'ties', 'special'] as const),
      },
    ],
    options,
  };
}
