/** Pictures as float tensors (1, 3, H, W) with values from 0 to 255, and back. */
import { readFile } from 'node:fs/promises';
import { readImage, writeImage } from '../../dist/files/images.js';

/** What every technique enlarges by. */
export const FACTOR = 4;

/** The photograph, cut so that FACTOR divides its extents, as (1, 3, H, W). */
export async function photograph() {
  const file = new URL('chelsea.png', import.meta.url);
  const { tensor } = await readImage(await readFile(file), 'chelsea.png');
  const [rows, columns, channels] = tensor.dims;
  const h = rows - (rows % FACTOR);
  const w = columns - (columns % FACTOR);
  const data = new Float32Array(3 * h * w);
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++) data[(c * h + y) * w + x] = tensor.data[(y * columns + x) * channels + c];
  return { type: 'float32', data, dims: [1, 3, h, w] };
}

/** (1, 3, H, W) floats as an 8-bit picture (H, W, 3). */
export function toBytes({ data, dims }) {
  const [, , h, w] = dims;
  const bytes = new Uint8Array(3 * h * w);
  for (let c = 0; c < 3; c++)
    for (let p = 0; p < h * w; p++)
      bytes[3 * p + c] = Math.min(Math.max(Math.round(data[c * h * w + p]), 0), 255);
  return { data: bytes, dims: [h, w, 3] };
}

export const toPng = (picture) => writeImage(picture, 'png', undefined);

/** Peak signal-to-noise ratio of two 8-bit pictures in dB. */
export function psnr(a, b) {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i] - b.data[i]) ** 2;
  return 10 * Math.log10((255 * 255 * a.data.length) / sum);
}

/** A rectangle of a picture, every pixel `times` times as large. */
export function magnified({ data, dims }, [top, left, height, width], times) {
  const bytes = new Uint8Array(3 * height * width * times * times);
  for (let y = 0; y < height * times; y++)
    for (let x = 0; x < width * times; x++) {
      const from = 3 * ((top + Math.floor(y / times)) * dims[1] + left + Math.floor(x / times));
      bytes.set(data.subarray(from, from + 3), 3 * (y * width * times + x));
    }
  return { data: bytes, dims: [height * times, width * times, 3] };
}

/** Median time of a call in milliseconds, after three that do not count. */
export function timed(call) {
  const times = [];
  let result;
  for (let i = 0; i < 23; i++) {
    const begin = performance.now();
    result = call();
    if (i >= 3) times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  return { result, ms: times[times.length >> 1] };
}

/** The details of the figures in one picture, `columns` beside each other, with a margin between them. */
export async function strip(figures, columns) {
  const tiles = figures.filter((f) => f.readme).map((f) => f.detail);
  const [h, w] = tiles[0].dims;
  const gap = 6;
  const rows = Math.ceil(tiles.length / columns);
  const height = rows * (h + gap) - gap;
  const width = columns * (w + gap) - gap;
  const data = new Uint8Array(3 * height * width).fill(255);
  for (const [i, tile] of tiles.entries())
    for (let y = 0; y < h; y++) {
      const to = (Math.floor(i / columns) * (h + gap) + y) * width + (i % columns) * (w + gap);
      data.set(tile.data.subarray(3 * y * w, 3 * (y + 1) * w), 3 * to);
    }
  return writeImage({ data, dims: [height, width, 3] }, 'jpeg', 88);
}
