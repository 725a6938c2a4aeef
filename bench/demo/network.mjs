/** A real network end to end: the small U-Net of bench/unet with its four expanding paths, on pictures it never saw. */

import { classColours } from '../../dist/files/png.js';
import { analyzeCheckerboard, measureCheckerboard } from '../../dist/index.js';
import { evaluate } from '../unet/network.mjs';

const SHOWN = 6;
const TIMES = 3;

const TITLES = {
  nearest: 'Nearest + convolution',
  bilinear: 'Bilinear + convolution',
  unpool: 'Max unpooling',
  transposed: 'Transposed convolution',
};

/** The first pictures beside each other, every pixel TIMES times as large; `colourOf(picture, pixel)` gives three bytes. */
function row(size, colourOf) {
  const width = size * TIMES * SHOWN;
  const data = new Uint8Array(3 * size * TIMES * width);
  for (let y = 0; y < size * TIMES; y++)
    for (let x = 0; x < width; x++) {
      const picture = Math.floor(x / (size * TIMES));
      const pixel = Math.floor(y / TIMES) * size + Math.floor((x % (size * TIMES)) / TIMES);
      data.set(colourOf(picture, pixel), 3 * (y * width + x));
    }
  return { data, dims: [size * TIMES, width, 3] };
}

export async function section() {
  const { pictures, truth, torch, variants } = await evaluate();
  const size = pictures.dims[2];
  const plane = size * size;
  const colours = classColours(torch.classes.length);
  const classColour = (classes) => (picture, pixel) => {
    const c = classes[picture * plane + pixel];
    return colours.subarray(3 * c, 3 * (c + 1));
  };
  const percent = (v) => `${(100 * v).toFixed(1)} %`;
  const transposed = variants.find((v) => v.variant === 'transposed');
  const layer = analyzeCheckerboard(transposed.weights.get('up1.weight'), {
    stride: 2,
    padding: 1,
    outputPadding: 1,
  });
  const measured = (v) => measureCheckerboard(v.up, { stride: 2 }).peak.prominenceDb;
  const figures = [
    {
      file: 'unet-input',
      title: 'Input',
      caption: 'Drawn pictures that the networks never saw; colour says nothing about the class.',
      image: row(size, (picture, pixel) =>
        [0, 1, 2].map((c) => pictures.data[(picture * 3 + c) * plane + pixel]),
      ),
    },
    {
      file: 'unet-truth',
      title: 'Truth',
      caption: `Classes as drawn: ${torch.classes.join(', ')}.`,
      image: row(size, classColour(truth.data)),
    },
    {
      file: 'unet-coarse',
      title: 'Coarse logits',
      caption: `WHAT without WHERE: the contracting path at a quarter of the resolution. Intersection over union ${percent(variants[0].iouCoarseNearest)}.`,
      image: row(size, classColour(variants[0].coarseNearest.data)),
    },
  ];
  for (const v of variants) {
    figures.push({
      file: `unet-${v.variant}`,
      title: TITLES[v.variant],
      caption: `Intersection over union ${percent(v.iou)}; PyTorch ${torch.torch} has ${percent(v.torch.iou)}, its logits differ by at most ${v.worstLogitDifference.toExponential(1)}. Strongest peak at the stride frequencies of the last upsampling: ${measured(v).toFixed(1)} dB above its neighbourhood.`,
      image: row(size, classColour(v.classes.data)),
    });
  }
  // The last upsampled map, channel 0, stretched to black and white: where it is flat the grid shows.
  const up = transposed.up;
  const values = (picture) =>
    up.data.subarray(picture * up.dims[1] * plane, picture * up.dims[1] * plane + plane);
  const ranges = Array.from({ length: SHOWN }, (_, p) => [Math.min(...values(p)), Math.max(...values(p))]);
  figures.push({
    file: 'unet-checkerboard',
    title: 'The checkerboard of the transposed variant',
    caption: `What its last transposed convolution made (channel 0). The analysis of the layer says: ${layer.verdict}.`,
    image: row(size, (picture, pixel) => {
      const [low, high] = ranges[picture];
      return new Array(3).fill(Math.round((255 * (values(picture)[pixel] - low)) / (high - low || 1)));
    }),
  });
  return {
    id: 'network',
    title: 'A network, four ways back',
    text: `A small U-Net, trained with PyTorch on drawn pictures (bench/unet/train.py) and run entirely with this package: convolutions and max pooling
      with indices down, one of four upsamplings up. Mean intersection over union on ${pictures.dims[0]} pictures.`,
    figures,
  };
}
