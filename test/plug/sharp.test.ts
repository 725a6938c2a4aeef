/** Beside sharp: raw pixels of 1 to 4 channels with 8 and 16 bits go in as nhwc, and results go out as raw pixels. */
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  interpolate,
  interpolateArgmax,
  interpolateQuantize,
  interpolateThreshold,
} from '../../src/index.js';
import { makeTensor } from '../support/tensors.js';

type Channels = 1 | 2 | 3 | 4;
const CHANNELS: Channels[] = [1, 2, 3, 4];
const [HEIGHT, WIDTH] = [9, 13];
const SIZE = [20, 31] as [number, number];

const raw = (data: Uint8Array | Uint16Array, [height, width]: readonly number[], channels: Channels) =>
  sharp(data, { raw: { width: width!, height: height!, channels } });

/** Without its colour space sharp turns 16-bit raw pixels into 8-bit colours. */
const deep = (data: Uint16Array, size: readonly number[], channels: Channels) =>
  raw(data, size, channels).toColourspace(channels < 3 ? 'grey16' : 'rgb16');

/** 8-bit pixels as sharp decodes them: grey with opacity comes as colour with opacity, of which two channels say all. */
async function shallow(picture: Sharp, channels: Channels) {
  const { data, info } = await picture
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(info.channels).toBe(channels === 2 ? 4 : channels);
  const bytes = channels === 2 ? data.filter((_, i) => i % 4 === 0 || i % 4 === 3) : data;
  return { data: bytes, dims: [1, info.height, info.width, channels] };
}

describe('8 bits', () => {
  it.each(CHANNELS)('%i channels', async (channels) => {
    const dims = [1, HEIGHT, WIDTH, channels];
    const { data: pixels } = makeTensor({ type: 'uint8', dims, seed: channels });
    const options = { size: SIZE, mode: 'bilinear', layout: 'nhwc' } as const;
    // In: sharp's Buffer is the data, without a stride.
    const picture = await shallow(raw(pixels as Uint8Array, [HEIGHT, WIDTH], channels), channels);
    expect(picture.dims).toEqual(dims);
    const y = await interpolate(picture, options);
    expect(y.data).toEqual((await interpolate({ data: pixels, dims }, options)).data);
    // Out: our data is sharp's raw input, and a PNG keeps it.
    const png = await raw(y.data as Uint8Array, SIZE, channels)
      .png()
      .toBuffer();
    const seen = await shallow(sharp(png), channels);
    expect(seen.dims).toEqual(y.dims);
    expect(new Uint8Array(seen.data)).toEqual(y.data);
  });
});

describe('16 bits', () => {
  it.each(CHANNELS)('%i channels', async (channels) => {
    const dims = [1, HEIGHT, WIDTH, channels];
    const pixels = new Uint16Array(makeTensor({ type: 'uint16', dims, seed: channels }).data as Uint16Array);
    // In: sharp says 16-bit pixels as bytes; seen as words they move as they are …
    const bytes = await deep(pixels, [HEIGHT, WIDTH], channels).raw({ depth: 'ushort' }).toBuffer();
    const words = new Uint16Array(new Uint8Array(bytes).buffer);
    expect(words).toEqual(pixels);
    const moved = await interpolate({ data: words, dims }, { size: SIZE, mode: 'nearest', layout: 'nhwc' });
    const out = await deep(moved.data as Uint16Array, SIZE, channels)
      .raw({ depth: 'ushort' })
      .toBuffer();
    expect(new Uint16Array(new Uint8Array(out).buffer)).toEqual(moved.data);
    // … and are blended as float32, rounded once on the way back.
    const floats = { data: Float32Array.from(words), dims };
    const smooth = await interpolateQuantize(floats, {
      size: SIZE,
      mode: 'bilinear',
      layout: 'nhwc',
      to: 'uint16',
      range: [0, 65535],
    });
    const exact = await interpolate(floats, { size: SIZE, mode: 'bilinear', layout: 'nhwc' });
    expect(smooth.dims).toEqual([1, ...SIZE, channels]);
    for (const [i, v] of smooth.data.entries())
      expect(Math.abs(Number(v) - Number(exact.data[i]))).toBeLessThan(0.5 + 0.02);
    const png = await deep(smooth.data as Uint16Array, SIZE, channels)
      .png()
      .toBuffer();
    const seen = await sharp(png)
      .toColourspace(channels < 3 ? 'grey16' : 'rgb16')
      .raw({ depth: 'ushort' })
      .toBuffer();
    expect(new Uint16Array(new Uint8Array(seen).buffer)).toEqual(smooth.data);
  });
});

describe('results as pictures', () => {
  it('a class map and a mask are grey pictures', async () => {
    const logits = makeTensor({ type: 'float32', dims: [1, 5, 8, 12], seed: 9 });
    const map = await interpolateArgmax(logits, { size: SIZE, mode: 'bilinear' });
    const mask = await interpolateThreshold(logits, { size: SIZE, mode: 'bilinear', keep: [2] });
    for (const { data } of [map, mask]) {
      const png = await raw(data as Uint8Array, SIZE, 1)
        .png()
        .toBuffer();
      const { data: seen, info } = await sharp(png)
        .toColourspace('b-w')
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect([info.height, info.width, info.channels]).toEqual([...SIZE, 1]);
      expect(new Uint8Array(seen)).toEqual(data);
    }
  });

  it('an enlarged photograph looks as sharp’s own, but for its shifted grid', async () => {
    const photo = sharp(new URL('../../bench/demo/chelsea.png', import.meta.url).pathname);
    const { data, info } = await photo.raw().toBuffer({ resolveWithObject: true });
    const size = [info.height * 2, info.width * 2];
    const y = await interpolate(
      { data, dims: [1, info.height, info.width, info.channels] },
      { size, mode: 'bilinear', layout: 'nhwc' },
    );
    const theirs = await sharp(data, { raw: { ...info, channels: info.channels as Channels } })
      .resize(size[1], size[0], { fit: 'fill', kernel: 'linear' })
      .raw()
      .toBuffer();
    const mean = theirs.reduce((sum, v, i) => sum + Math.abs(v - Number(y.data[i])), 0) / theirs.length;
    expect(mean).toBeLessThan(2);
  });
});
