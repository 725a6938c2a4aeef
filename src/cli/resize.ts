/** `upsampling resize`: pictures and arrays, one or many, to another size. */
import { mkdir, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { mustBe, refuse } from '../errors.js';
import { imageFormat, readImage, writeImage } from '../files/images.js';
import { writeNpy } from '../files/npy.js';
import { type InterpolateOptions, interpolate, type Layout, type Tensor } from '../index.js';
import { isArray, readArray } from './arrays.js';
import { type Command, extents, factors, integer, text, UsageError, type Values } from './command.js';
import { forEachInput, nameOf, readInput, writeOutput } from './streams.js';

const OP = 'resize';

export const resize: Command = {
  summary: 'pictures and .npy arrays to another size',
  help: `Usage: upsampling resize IN… -o OUT (--scale S | --size HxW) [OPTION…]

IN is a picture (PNG, JPEG, WebP, TIFF; needs the package sharp) or an array (.npy; .npz or .safetensors of one
tensor, or see --tensor), or - for standard input.
OUT is a file, a folder, a pattern with {name} (input without its ending) or {n} (its number), or - for standard output.
Several inputs need a folder or a pattern. Files appear whole or not at all; inputs are never overwritten.

Pictures keep their depth (8 or 16 bits) and are resized as their sRGB values; with opacity, colours weigh by it.
Arrays are (H, W), (C, H, W), (N, C, H, W), or (N, C, D, H, W); with --layout nhwc channels come last.

Options:
  -o, --out OUT          where to write
  -s, --scale S          output over input extent: 2, or one per axis: 2x1.5 (height first)
      --size HxW         output extent, height first: 480x640
  -m, --mode MODE        nearest, nearest-exact, bilinear, bicubic, area; linear for (N, C, L) and trilinear for
                         (N, C, D, H, W) arrays. Default bilinear
      --align-corners    corner pixels keep their values (linear and cubic modes)
      --antialias        widen the filter when shrinking (bilinear and bicubic)
      --layout LAYOUT    of arrays: nchw (default) or nhwc
      --tensor NAME      which tensor of a .npz or .safetensors file
      --format F         png, jpeg, webp, tiff or npy, when OUT does not say it
      --quality Q        1 to 100, of JPEG (default 92) and WebP (default lossless)
  -h, --help             this text

Examples:
  upsampling resize photo.png --scale 2 --mode bicubic -o large.png
  upsampling resize *.jpg --size 480x640 --antialias -o thumbnails/
  upsampling resize a.png b.png --scale 4 -o '{name}-x4.webp'
  upsampling resize logits.npy --size 1080x1920 -o full.npy
  cat photo.jpg | upsampling resize - --scale 0.5 --antialias --format png -o - > small.png
`,
  options: {
    out: { type: 'string', short: 'o' },
    scale: { type: 'string', short: 's' },
    size: { type: 'string' },
    mode: { type: 'string', short: 'm' },
    'align-corners': { type: 'boolean' },
    antialias: { type: 'boolean' },
    layout: { type: 'string' },
    tensor: { type: 'string' },
    format: { type: 'string' },
    quality: { type: 'string' },
  },
  run: async (inputs, values) => {
    if (inputs.length === 0)
      throw new UsageError('resize: an input is missing, see upsampling resize --help');
    const options = resizeOptions(OP, values, 'bilinear');
    const format = formatOption(OP, values);
    const quality = integer(OP, values, 'quality', 1, 100);
    const outputs = await outputPaths(OP, inputs, text(values, 'out'), format);
    await forEachInput(inputs, async (input, i) => {
      const bytes = await readInput(OP, input);
      const output = outputs[i]!;
      const as = format ?? formatOf(output);
      if (isArray(bytes)) {
        const y = await resizeArray(readArray(OP, bytes, nameOf(input), text(values, 'tensor')), options);
        await writeOutput(OP, output, await encode(y, as ?? 'npy', options.layout ?? 'nchw', quality));
      } else {
        const picture = await readImage(bytes, nameOf(input));
        const y = await resizePicture(picture.tensor, picture.alpha, options);
        await writeOutput(
          OP,
          output,
          await encode(y, as ?? imageFormat(picture.format) ?? 'png', 'nhwc', quality),
        );
      }
    });
    return 0;
  },
};

/** The options of `interpolate` that the words on the command line stand for. */
export function resizeOptions(
  op: string,
  values: Values,
  mode: InterpolateOptions['mode'],
): InterpolateOptions {
  const size = extents(op, values, 'size');
  const scaleFactor = factors(op, values, 'scale');
  if (size === undefined && scaleFactor === undefined)
    throw new UsageError(`${op}: --size or --scale is missing, see upsampling ${op} --help`);
  if (size !== undefined && scaleFactor !== undefined)
    throw new UsageError(`${op}: give --size or --scale, not both`);
  return {
    size,
    scaleFactor,
    mode: (text(values, 'mode') as InterpolateOptions['mode']) ?? mode,
    alignCorners: values['align-corners'] === true,
    antialias: values.antialias === true,
    layout: text(values, 'layout') as Layout | undefined,
  };
}

export type FileFormat = 'npy' | NonNullable<ReturnType<typeof imageFormat>>;

/** The format that the ending of a file name stands for. */
export const formatOf = (name: string): FileFormat | undefined =>
  extname(name).toLowerCase() === '.npy' ? 'npy' : imageFormat(name);

export function formatOption(op: string, values: Values): FileFormat | undefined {
  const word = text(values, 'format');
  if (word === undefined) return undefined;
  const format = word === 'npy' ? 'npy' : imageFormat(word);
  if (format === undefined) mustBe(op, '--format', 'one of png, jpeg, webp, tiff, npy', word);
  return format;
}

/** Where each input's result goes; refuses names that meet, and results without a known ending. */
export async function outputPaths(
  op: string,
  inputs: readonly string[],
  out: string | undefined,
  format: string | undefined,
): Promise<string[]> {
  if (out === undefined) throw new UsageError(`${op}: -o OUT is missing, see upsampling ${op} --help`);
  const stem = (input: string) => (input === '-' ? 'stdin' : basename(input, extname(input)));
  const pattern = /\{(name|n)\}/.test(out);
  const isFolder = out.endsWith('/') || ((await stat(out).catch(() => undefined))?.isDirectory() ?? false);
  if (inputs.length > 1 && !pattern && !isFolder)
    throw new UsageError(`${op}: several inputs need -o FOLDER/ or a pattern with {name} or {n}, got ${out}`);
  const paths = inputs.map((input, i) => {
    if (pattern) return out.replaceAll('{name}', stem(input)).replaceAll('{n}', String(i + 1));
    if (!isFolder) return out;
    const ending = format === undefined ? extname(input) : `.${format}`;
    return join(out, `${stem(input)}${ending}`);
  });
  const seen = new Set(inputs.filter((i) => i !== '-').map((i) => resolve(i)));
  for (const path of paths) {
    if (path === '-') continue;
    if (seen.has(resolve(path)))
      throw new UsageError(`${op}: ${path} would be written over an input or another result`);
    seen.add(resolve(path));
    if (format === undefined && formatOf(path) === undefined)
      throw new UsageError(`${op}: ${path} must end in .png, .jpg, .webp, .tiff or .npy, or give --format`);
  }
  if (isFolder) await mkdir(out, { recursive: true });
  return paths;
}

/** An array with the spatial axes that its rank and the mode say. */
export async function resizeArray(x: Tensor, options: InterpolateOptions): Promise<Tensor> {
  const { mode = 'nearest', layout } = options;
  let dims = x.dims;
  if (dims.length === 2) dims = layout === 'nhwc' ? [1, ...dims, 1] : [1, 1, ...dims];
  else if (dims.length === 3 && mode !== 'linear') dims = [1, ...dims];
  const y = await interpolate({ ...x, dims }, options);
  if (x.dims.length === 2) return { ...y, dims: layout === 'nhwc' ? y.dims.slice(1, 3) : y.dims.slice(2) };
  return dims === x.dims ? y : { ...y, dims: y.dims.slice(1) };
}

/** A picture (H, W, C); 16 bits and opacity are computed in float32 and rounded once. */
export async function resizePicture(x: Tensor, alpha: boolean, options: InterpolateOptions): Promise<Tensor> {
  const [height, width, channels] = x.dims as [number, number, number];
  const o: InterpolateOptions = { ...options, layout: 'nhwc' };
  const moves = o.mode === 'nearest' || o.mode === 'nearest-exact';
  const planar = { ...x, dims: [1, height, width, channels] };
  if (moves || (x.type === 'uint8' && !alpha)) {
    const y = await interpolate(planar, o);
    return { ...y, dims: y.dims.slice(1) };
  }
  const full = x.type === 'uint16' ? 65535 : 255;
  const opacity = channels - 1;
  const f = Float32Array.from(x.data as Uint8Array);
  if (alpha)
    for (let p = 0; p < f.length; p += channels)
      for (let c = 0; c < opacity; c++) f[p + c]! *= f[p + opacity]! / full;
  const y = await interpolate({ data: f, dims: planar.dims }, o);
  const g = y.data as Float32Array;
  const data = x.type === 'uint16' ? new Uint16Array(g.length) : new Uint8Array(g.length);
  for (let p = 0; p < g.length; p += channels) {
    const weight = alpha && g[p + opacity]! > 0 ? full / g[p + opacity]! : 1;
    for (let c = 0; c < channels; c++) {
      const v = alpha && c < opacity ? g[p + c]! * weight : g[p + c]!;
      data[p + c] = Math.min(Math.max(Math.round(v), 0), full);
    }
  }
  return { type: x.type, data, dims: y.dims.slice(1) };
}

/** The bytes of a result in the format of its file. */
async function encode(
  y: Tensor,
  format: FileFormat,
  layout: Layout,
  quality: number | undefined,
): Promise<Uint8Array[]> {
  if (format === 'npy') return writeNpy(y);
  let { dims } = y;
  while (dims.length > 2 && dims[0] === 1 && !(dims.length === 3 && layout === 'nhwc')) dims = dims.slice(1);
  if (dims.length === 2) dims = [...dims, 1];
  else if (layout === 'nchw' || dims.length !== 3 || dims[2]! > 4)
    refuse(
      OP,
      '',
      `an array of dims [${y.dims.join(', ')}] is no picture: (H, W), or (H, W, 1 to 4) with --layout nhwc, is; write it as .npy`,
      'ERR_UPSAMPLING_SHAPE',
    );
  if (y.type !== 'uint8' && y.type !== 'uint16')
    refuse(
      OP,
      '',
      `a picture is made of uint8 or uint16, got ${y.type}; write it as .npy`,
      'ERR_UPSAMPLING_TYPE',
    );
  return [await writeImage({ ...y, dims }, format, quality)];
}
