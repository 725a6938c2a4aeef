/** The photograph, shrunk by max pooling that remembers where, and brought back by every technique. */
import {
  avgPool2dSync,
  conv2dSync,
  convTranspose2dSync,
  interpolateSync,
  maxPool2dWithIndicesSync,
  maxUnpool2dSync,
  pixelShuffleSync,
  pixelUnshuffleSync,
} from '../../dist/index.js';
import { FACTOR, magnified, photograph, psnr, timed, toBytes } from './pictures.mjs';

/** The part that is shown enlarged: an eye. */
const DETAIL = [72, 120, 72, 96];

/** One k×k kernel per channel (for groups = 3), the outer product of a row of weights with itself. */
function perChannel(row) {
  const k = row.length;
  const plane = row.flatMap((a) => row.map((b) => a * b));
  return { data: Float32Array.from([...plane, ...plane, ...plane]), dims: [3, 1, k, k] };
}

export async function section() {
  const x = await photograph();
  const original = toBytes(x);
  const window = { kernelSize: FACTOR };
  const pool = timed(() => maxPool2dWithIndicesSync(x, window));
  const { output: small, indices } = pool.result;
  const mean = timed(() => avgPool2dSync(x, window));
  const channels = timed(() => pixelUnshuffleSync(x, { downscaleFactor: FACTOR }));

  // A transposed convolution is a bilinear enlargement when its weights are a triangle of twice the stride.
  const bilinear = perChannel(
    Array.from({ length: 2 * FACTOR }, (_, i) => 1 - Math.abs(i - FACTOR + 0.5) / FACTOR),
  );
  // One element more than the stride: every FACTOR-th row and column gets two stamps, the others one.
  const lopsided = perChannel(new Array(FACTOR + 1).fill(FACTOR / (FACTOR + 1)));
  const box = perChannel(new Array(FACTOR + 1).fill(1 / (FACTOR + 1)));
  const transposed = { stride: FACTOR, groups: 3 };
  const to = { scaleFactor: FACTOR };

  const figures = [
    {
      file: 'original',
      title: 'Original',
      caption: 'Chelsea, by Stéfan van der Walt, CC0.',
      image: original,
      readme: true,
    },
    {
      file: 'max-pooled',
      title: `maxPool2dWithIndices, ${FACTOR}×${FACTOR}`,
      caption: 'WHAT is there goes on; WHERE it was is in the indices.',
      ms: pool.ms,
      ...shrunk(small),
    },
  ];
  const add = (file, title, caption, run, readme = false) => {
    const { result, ms } = timed(run);
    figures.push({ file, title, caption, ms, ...shown(result), readme });
  };
  function shown(result) {
    const image = toBytes(result);
    return { image, psnr: psnr(image, original) };
  }
  function shrunk(result) {
    const image = toBytes(result);
    return {
      image,
      detail: magnified(
        image,
        DETAIL.map((v) => v / FACTOR),
        2 * FACTOR,
      ),
    };
  }

  for (const [mode, caption] of [
    ['nearest', 'Every pixel is repeated: blocks.'],
    ['bilinear', 'Two pixels per axis, weighted by distance: smooth, without new extremes.'],
    ['bicubic', 'Four pixels per axis: sharper, with a little overshoot at edges.'],
  ])
    add(mode, `interpolate, ${mode}`, caption, () => interpolateSync(small, { ...to, mode }), true);
  add(
    'max-unpooled',
    'maxUnpool2d',
    'Every maximum is back on the very pixel it came from; the other fifteen of a block are 0.',
    () => maxUnpool2dSync(small, indices, window),
    true,
  );
  add(
    'transposed-bilinear',
    'convTranspose2d, bilinear weights',
    `Kernel ${2 * FACTOR}, stride ${FACTOR}: the bilinear enlargement as a layer that could learn. At the border stamps are missing: it darkens.`,
    () => convTranspose2dSync(small, bilinear, { ...transposed, padding: FACTOR / 2 }),
    true,
  );
  add(
    'transposed-lopsided',
    'convTranspose2d, lopsided kernel',
    `Kernel ${FACTOR + 1}, stride ${FACTOR}, all weights alike: one row in ${FACTOR} gets two stamps, the others one. The checkerboard.`,
    () => convTranspose2dSync(small, lopsided, { ...transposed, padding: 1, outputPadding: 1 }),
    true,
  );
  add(
    'resize-convolution',
    'interpolate, nearest, then conv2d',
    `Resize-convolution with a ${FACTOR + 1}×${FACTOR + 1} box: every output pixel has as many taps as its neighbour, so no checkerboard.`,
    () => conv2dSync(interpolateSync(small, to), box, { padding: 'same', groups: 3 }),
    true,
  );
  figures.push({
    file: 'mean-pooled',
    title: `avgPool2d, ${FACTOR}×${FACTOR}`,
    caption: 'The mean of every block instead of its maximum: a fairer start for interpolation.',
    ms: mean.ms,
    ...shrunk(mean.result),
  });
  add('mean-bicubic', 'avgPool2d, then interpolate, bicubic', 'From the means instead of the maxima.', () =>
    interpolateSync(mean.result, { ...to, mode: 'bicubic' }),
  );
  add(
    'pixel-shuffled',
    'pixelUnshuffle, then pixelShuffle',
    `The pixels of a block wait in ${3 * FACTOR * FACTOR} channels and return: nothing is lost.`,
    () => pixelShuffleSync(channels.result, { upscaleFactor: FACTOR }),
  );
  for (const figure of figures) figure.detail ??= magnified(figure.image, DETAIL, 2);
  return {
    id: 'photograph',
    title: 'A photograph by every technique',
    text: `The photograph (${original.dims[0]}×${original.dims[1]}, three channels, float32) is shrunk to ${small.dims[2]}×${small.dims[3]} and brought back. PSNR is
      against the original; below each picture the eye, every pixel twice as large. Times are medians of 20 synchronous calls.`,
    figures,
  };
}
