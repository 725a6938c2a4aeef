/** sharp (libvips): raw buffer to raw buffer. The nearest thing an image library has; its grid is shifted when enlarging. */
import { values } from '../lib/inputs.mjs';

let sharp;

export async function init({ load, threads }) {
  sharp = load('sharp');
  sharp.concurrency(threads);
  sharp.cache(false);
  return { version: sharp.versions.sharp ?? load('sharp/package.json').version };
}

export async function prepare(w) {
  if (w.op !== 'interpolate' || w.type !== 'uint8') throw new Error('resizes 8-bit images only');
  const [height, width] = w.options.size;
  const [h, wd, channels] =
    w.layout === 'nhwc' ? [w.input[1], w.input[2], w.input[3]] : [w.input[2], w.input[3], 1];
  const data = values('uint8', w.input, 1);
  const kernel = w.options.mode === 'nearest' ? 'nearest' : 'linear';
  let last;
  return [
    {
      name: 'toBuffer',
      approximate: true,
      run: async () => {
        last = await sharp(data, { raw: { width: wd, height: h, channels } })
          .resize(width, height, { fit: 'fill', kernel })
          .raw()
          .toBuffer();
      },
      get: () => last,
    },
  ];
}
