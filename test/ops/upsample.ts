import { describeUpsample, type UpsampleAttributes, upsampleSync } from '../../src/onnx/upsample.js';
import { type Args, defineOp, product, tensor } from '../support/operator.js';

type Options = UpsampleAttributes & { readonly scales: readonly number[]; readonly opset?: number };

const args = (
  dims: readonly number[],
  options: Options,
  type: 'float32' | 'uint8' | 'int64' | 'uint32' = 'float32',
): Args => ({
  tensors: [{ type, dims, seed: 3 }],
  options: options as unknown as Record<string, unknown>,
});

const vector = (v: readonly number[]) => ({ data: Float32Array.from(v), dims: [v.length] });
const x = () => tensor([1, 1, 2, 2], [1, 2, 3, 4]);
const OPTION = 'ERR_UPSAMPLING_OPTION';

export default defineOp({
  name: 'upsample',
  kernel: 'interpolate',
  describe: ([input], options) => {
    const { scales, opset, mode } = options as unknown as Options;
    return (
      opset === 7
        ? describeUpsample([input], { mode, scales }, { opset })
        : describeUpsample([input, vector(scales)], { mode }, undefined)
    ) as never;
  },
  family: ({ options }) => (options.mode === 'linear' ? 'interpolation' : 'exact'),
  samples: () => [
    ...product({
      mode: ['nearest', 'linear'] as const,
      scales: [
        [1, 1, 2, 3],
        [1, 1, 1.5, 2.7],
        [1, 2, 1, 1.3],
        [1, 1, 1, 1],
      ],
      opset: [7, 9],
    }).map((o) => args([2, 3, 4, 5], o)),
    args([3, 4, 5], { scales: [1, 2, 2], mode: 'linear' }, 'uint8'),
    args([3, 4], { scales: [1, 2.5] }, 'int64'),
    args([3, 4], { scales: [2, 2.5], mode: 'linear' }, 'int64'),
    args([3, 4], { scales: [2, 2.5], mode: 'linear' }, 'uint32'),
  ],
  random: (r) =>
    args([r.int(1, 3), r.int(1, 3), r.int(1, 9), r.int(1, 9)], {
      mode: r.pick(['nearest', 'linear'] as const),
      scales: [1, r.pick([1, 2]), 1 + r.next() * 3, 1 + r.next() * 3],
    }),
  draws: 60,
  absolute: (plan) => ({
    ...plan,
    axes: plan.axes.map((a) => ({ ...a, weight: a.weight.map(Math.abs) as Float32Array })),
  }),
  products: (plan) => plan.axes.reduce((n, a) => n + a.taps, 1),
  errors: [
    {
      name: 'scale below 1',
      call: () => upsampleSync([x(), vector([1, 1, 0.5, 2])]),
      code: OPTION,
      message: /scales must be 4 numbers of at least 1/,
    },
    {
      name: 'too few scales',
      call: () => upsampleSync([x(), vector([2, 2])]),
      code: OPTION,
      message: /scales must be 4 numbers of at least 1/,
    },
    {
      name: 'no scales in set 7',
      call: () => upsampleSync([x()], {}, { opset: 7 }),
      code: OPTION,
      message: /scales must be 4 numbers of at least 1, got "nothing"/,
    },
    {
      name: 'the attribute in set 9',
      call: () => upsampleSync([x(), vector([1, 1, 2, 2])], { scales: [1, 1, 2, 2] }, { opset: 9 }),
      code: OPTION,
      message: /scales must be left out in operator set 9, it was there before 9/,
    },
    {
      name: 'cubic',
      call: () => upsampleSync([x(), vector([1, 1, 2, 2])], { mode: 'cubic' as never }),
      code: OPTION,
      message: /mode must be one of nearest, linear/,
    },
    {
      name: 'linear on bool',
      call: () =>
        upsampleSync([{ data: new Uint8Array(4), dims: [2, 2], type: 'bool' }, vector([2, 2])], {
          mode: 'linear',
        }),
      code: 'ERR_UPSAMPLING_TYPE',
      message: /X.type must not be bool with mode linear/,
    },
    {
      name: 'empty axis',
      call: () => upsampleSync([{ data: new Float32Array(0), dims: [0, 2] }, vector([2, 2])]),
      code: 'ERR_UPSAMPLING_SHAPE',
      message: /no empty axis/,
    },
  ],
});
