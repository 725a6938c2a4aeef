#!/usr/bin/env node
/**
 * A folder of pictures, each to a thumbnail, with bounded memory: files are opened only as results are written.
 *
 *   node bench/examples/batch.mjs FOLDER OUT [SIZE]
 */
import { mkdir, opendir } from 'node:fs/promises';
import { join, parse } from 'node:path';
import sharp from 'sharp';
import { interpolate, stream } from '../../dist/index.js'; // yours: from 'upsampling'

const [folder, out, side = '224'] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node bench/examples/batch.mjs FOLDER OUT [SIZE]');
  process.exit(2);
}
const size = [Number(side), Number(side)];
await mkdir(out, { recursive: true });

async function* pictures() {
  for await (const entry of await opendir(folder))
    if (/\.(png|jpe?g|webp|tiff?)$/i.test(entry.name)) yield entry.name;
}

let open = 0;
let most = 0;
const results = stream(
  pictures(),
  async (name, { signal }) => {
    most = Math.max(most, ++open);
    const { data, info } = await sharp(join(folder, name))
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const image = { data, dims: [1, info.height, info.width, info.channels] };
    const small = await interpolate(image, {
      size,
      mode: 'bicubic',
      antialias: true,
      layout: 'nhwc',
      signal,
    });
    return { name, small };
  },
  { concurrency: 4, maxBytes: 256 * 2 ** 20, ordered: false },
);

let n = 0;
for await (const { name, small } of results) {
  const [, height, width, channels] = small.dims;
  // While a result is being written nothing new is opened: the stream goes at the pace of its reader.
  await sharp(small.data, { raw: { height, width, channels } }).toFile(join(out, `${parse(name).name}.png`));
  open--;
  n++;
}
console.log(`${n} pictures, at most ${most} open at once`);
