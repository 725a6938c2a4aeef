/** Pictures through sharp, which decodes and encodes and does nothing else. Loaded when the first picture is met. */
import { ArgumentError, mustBe, refuse } from '../errors.js';
import type { Tensor, TensorLike } from '../tensor.js';

/** Formats that are written, by the endings of their files. */
const FORMATS = {
  png: 'png',
  jpg: 'jpeg',
  jpeg: 'jpeg',
  webp: 'webp',
  tif: 'tiff',
  tiff: 'tiff',
} as const;
export type ImageFormat = (typeof FORMATS)[keyof typeof FORMATS];

/** The format that a file name or a bare ending stands for, if it is a picture's. */
export function imageFormat(name: string): ImageFormat | undefined {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return (FORMATS as Record<string, ImageFormat | undefined>)[ending];
}

async function loadSharp() {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'ERR_MODULE_NOT_FOUND'
        ? 'it is not installed; install it with: npm install sharp'
        : `it could not be loaded (${message.split('\n', 1)[0]})`;
    throw new ArgumentError('ERR_UPSAMPLING_FILE', 'images', '', `images: pictures need sharp: ${why}`);
  }
}

/** A decoded picture: (height, width, channels), uint8 or uint16, turned upright, in sRGB or grey. */
export interface Picture {
  readonly tensor: Tensor;
  /** The last channel is opacity. */
  readonly alpha: boolean;
  readonly format: string;
}

export async function readImage(bytes: Uint8Array, name: string): Promise<Picture> {
  const sharp = await loadSharp();
  try {
    const meta = await sharp(bytes).metadata();
    const deep = meta.depth === 'ushort' || meta.depth === 'float';
    const grey = meta.channels <= 2;
    let pipe = sharp(bytes).autoOrient();
    if (deep) pipe = pipe.toColourspace(grey ? 'grey16' : 'rgb16');
    else if (meta.channels === 1) pipe = pipe.toColourspace('b-w');
    const { data, info } = await pipe
      .raw({ depth: deep ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    let channels: number = info.channels;
    let array: Uint8Array | Uint16Array = deep
      ? new Uint16Array(new Uint8Array(data).buffer)
      : new Uint8Array(data.buffer, data.byteOffset, data.length);
    if (grey && channels === 4) {
      // Grey with opacity comes as colour at 8 bits: sharp's raw 'b-w' would drop the opacity.
      const rgba = array;
      array = array.slice(0, rgba.length / 2).map((_, i) => rgba[4 * (i >> 1) + 3 * (i & 1)]!);
      channels = 2;
    }
    return {
      tensor: {
        type: deep ? 'uint16' : 'uint8',
        data: array,
        dims: [info.height, info.width, channels],
      },
      alpha: meta.hasAlpha,
      format: meta.format,
    };
  } catch (error) {
    const why = (error as Error).message.split('\n', 1)[0];
    refuse('images', name, `${name} is not a readable picture: ${why}`, 'ERR_UPSAMPLING_FILE');
  }
}

/** The file of a picture (height, width, 1 to 4 channels), uint8 or uint16. JPEG and WebP hold 8 bits. */
export async function writeImage(
  picture: TensorLike,
  format: ImageFormat,
  quality: number | undefined,
): Promise<Uint8Array> {
  const [height, width, channels] = picture.dims as [number, number, number];
  const data = picture.data as Uint8Array | Uint16Array;
  if (picture.dims.length !== 3 || channels < 1 || channels > 4)
    mustBe(
      'images',
      'picture',
      'of dims [height, width, 1 to 4 channels]',
      picture.dims,
      'ERR_UPSAMPLING_FILE',
    );
  const sharp = await loadSharp();
  const deep = data.BYTES_PER_ELEMENT === 2;
  const narrow = deep && (format === 'jpeg' || format === 'webp');
  const shown = narrow ? Uint8Array.from(data, (v) => Math.round(v / 257)) : data;
  let pipe = sharp(shown, { raw: { width, height, channels: channels as 1 | 2 | 3 | 4 } });
  if (deep && !narrow) pipe = pipe.toColourspace(channels <= 2 ? 'grey16' : 'rgb16');
  else if (channels <= 2) pipe = pipe.toColourspace('b-w');
  try {
    switch (format) {
      case 'png':
        return await pipe.png().toBuffer();
      case 'jpeg':
        return await pipe
          .flatten()
          .jpeg({ quality: quality ?? 92 })
          .toBuffer();
      case 'webp':
        return await pipe.webp(quality === undefined ? { lossless: true } : { quality }).toBuffer();
      case 'tiff':
        return await pipe.tiff({ compression: 'deflate' }).toBuffer();
    }
  } catch (error) {
    const why = (error as Error).message.split('\n', 1)[0];
    refuse('images', 'picture', `the picture cannot be encoded as ${format}: ${why}`, 'ERR_UPSAMPLING_FILE');
  }
}
