/** `upsampling segment`: a network's class scores to a class map on the pixels of the picture. */
import { refuse } from '../errors.js';
import { readImage, writeImage } from '../files/images.js';
import { writeNpy } from '../files/npy.js';
import { classColours, writePng } from '../files/png.js';
import { type InterpolateArgmaxOptions, interpolateArgmax, type Tensor } from '../index.js';
import { readArray } from './arrays.js';
import { type Command, number, text, UsageError } from './command.js';
import { type FileFormat, formatOf, formatOption, outputPaths, resizeOptions } from './resize.js';
import { forEachInput, nameOf, readInput, writeOutput } from './streams.js';

const OP = 'segment';

export const segment: Command = {
  summary: 'class scores (logits) to a full-size class map, with overlay and statistics',
  help: `Usage: upsampling segment LOGITS… -o OUT (--size HxW | --scale S | --overlay PHOTO) [OPTION…]

LOGITS is a .npy file, or a .npz or .safetensors file of one tensor (or see --tensor), or - for standard input.
Resizes class scores (C, H, W) or (1, C, H, W) and takes the best class of every pixel, without ever writing the resized
scores. OUT is .png (pixels are class numbers, with the colours of PASCAL VOC; 16-bit grey above 256 classes), .npy, a
folder, or a pattern with {name} or {n}. With --overlay, OUT is the photograph with the classes laid over it.

Options:
  -o, --out OUT          where to write; may be left out with --json
      --size HxW         extent of the map, height first: 1080x1920; default with --overlay: that of the photograph
  -s, --scale S          output over input extent
  -m, --mode MODE        as of resize; default bilinear
      --align-corners    corner pixels keep their values
      --layout LAYOUT    nchw (default) or nhwc: scores (H, W, C)
      --tensor NAME      which tensor of a .npz or .safetensors file
      --threshold T      pixels whose best score is below T get --background
      --background C     class of pixels below the threshold or without any score that is a number; default 0
      --overlay PHOTO    lay the map over a picture of the same extent (needs the package sharp)
      --opacity P        of the overlay, 0 to 1; default 0.5
      --format F         png or npy (with --overlay png, jpeg, webp, tiff), when OUT does not say it
      --json             print pixels per class
  -h, --help             this text

Examples:
  upsampling segment logits.npy --size 1080x1920 -o map.png
  upsampling segment logits.npy --overlay photo.jpg -o seen.png
  upsampling segment a.npy b.npy --scale 4 -o 'maps/{name}.png' --json
`,
  options: {
    out: { type: 'string', short: 'o' },
    size: { type: 'string' },
    scale: { type: 'string', short: 's' },
    mode: { type: 'string', short: 'm' },
    'align-corners': { type: 'boolean' },
    layout: { type: 'string' },
    tensor: { type: 'string' },
    threshold: { type: 'string' },
    background: { type: 'string' },
    overlay: { type: 'string' },
    opacity: { type: 'string' },
    format: { type: 'string' },
    json: { type: 'boolean' },
  },
  run: async (inputs, values) => {
    if (inputs.length === 0)
      throw new UsageError('segment: an input is missing, see upsampling segment --help');
    const overlay = text(values, 'overlay');
    const opacity = number(OP, values, 'opacity') ?? 0.5;
    if (opacity < 0 || opacity > 1)
      throw new UsageError(`segment: --opacity must be from 0 to 1, got ${opacity}`);
    const json = values.json === true;
    const format = formatOption(OP, values);
    const out = text(values, 'out');
    const outputs = out === undefined && json ? undefined : await outputPaths(OP, inputs, out, format);
    const formats = (outputs ?? []).map((path) => mapFormat(path, format, overlay !== undefined));
    const photo = overlay === undefined ? undefined : await readPhoto(overlay);
    const sized = text(values, 'size') !== undefined || text(values, 'scale') !== undefined;
    const fallback = photo !== undefined && !sized ? { size: `${photo.dims[0]}x${photo.dims[1]}` } : {};
    const threshold = number(OP, values, 'threshold');
    const background = number(OP, values, 'background');
    const options: InterpolateArgmaxOptions = {
      ...resizeOptions(OP, { ...values, ...fallback }, 'bilinear'),
      ...(threshold === undefined ? {} : { threshold }),
      ...(background === undefined ? {} : { background }),
    };
    const reports = await forEachInput(inputs, async (input, i) => {
      const name = nameOf(input);
      const logits = readArray(OP, await readInput(OP, input), name, text(values, 'tensor'));
      const { map, classes } = await classMap(logits, options, name);
      if (outputs !== undefined) {
        const parts =
          photo === undefined
            ? encodeMap(map, classes, formats[i]!)
            : await blend(map, photo, opacity, formats[i]!);
        await writeOutput(OP, outputs[i]!, parts);
      }
      return json ? statistics(name, map, classes) : undefined;
    });
    if (json) process.stdout.write(`${JSON.stringify(reports, undefined, 2)}\n`);
    return 0;
  },
};

/** The format of an output: pixels are class numbers, which only PNG and .npy keep, or a photograph. */
function mapFormat(path: string, format: FileFormat | undefined, photo: boolean): FileFormat {
  const as = format ?? formatOf(path) ?? 'png';
  if (photo ? as === 'npy' : as !== 'npy' && as !== 'png')
    throw new UsageError(
      `segment: ${path} must end in ${photo ? '.png, .jpg, .webp or .tiff: it is a photograph' : '.png or .npy: it is a class map'}`,
    );
  return as;
}

async function readPhoto(path: string): Promise<Tensor> {
  const { tensor } = await readImage(await readInput(OP, path), nameOf(path));
  return tensor;
}

/** The class of every pixel (H, W) and the number of classes. */
async function classMap(
  logits: Tensor,
  options: InterpolateArgmaxOptions,
  name: string,
): Promise<{ map: Tensor; classes: number }> {
  const dims = logits.dims.length === 3 ? [1, ...logits.dims] : logits.dims;
  if (dims.length !== 4 || dims[0] !== 1)
    refuse(
      OP,
      name,
      `${name} must be scores of one picture, (C, H, W) or (1, C, H, W), got [${logits.dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const classes = options.layout === 'nhwc' ? dims[3]! : dims[1]!;
  const classType = classes > 256 ? 'uint16' : 'uint8';
  const map = await interpolateArgmax({ ...logits, dims }, { ...options, classType });
  return { map: { ...map, dims: map.dims.slice(1) }, classes };
}

function encodeMap(map: Tensor, classes: number, format: FileFormat): Uint8Array[] {
  if (format === 'npy') return writeNpy(map);
  const [height, width] = map.dims as [number, number];
  const palette = classes > 256 ? {} : { palette: classColours(classes) };
  return [writePng({ width, height, data: map.data as Uint8Array, ...palette })];
}

/** The photograph, mixed with the colours of the classes. */
async function blend(map: Tensor, photo: Tensor, opacity: number, format: FileFormat): Promise<Uint8Array[]> {
  const [height, width] = map.dims as [number, number];
  const channels = photo.dims[2]!;
  if (photo.dims[0] !== height || photo.dims[1] !== width)
    refuse(
      OP,
      '--overlay',
      `--overlay must be a picture of ${height}×${width}, as the map is, got ${photo.dims[0]}×${photo.dims[1]}`,
      'ERR_UPSAMPLING_SHAPE',
    );
  const pixels = photo.data as Uint8Array;
  const full = photo.type === 'uint16' ? 257 : 1;
  const classes = map.data as Uint8Array;
  const colours = classColours(classes.reduce((a, b) => Math.max(a, b), 0) + 1);
  const data = new Uint8Array(3 * height * width);
  for (let p = 0; p < height * width; p++)
    for (let c = 0; c < 3; c++) {
      const seen = pixels[p * channels + (channels < 3 ? 0 : c)]! / full;
      data[3 * p + c] = Math.round((1 - opacity) * seen + opacity * colours[3 * classes[p]! + c]!);
    }
  const as = format === 'npy' ? 'png' : format;
  return [await writeImage({ data, dims: [height, width, 3] }, as, undefined)];
}

function statistics(file: string, map: Tensor, classes: number) {
  const pixels = new Array<number>(classes).fill(0);
  for (const c of map.data as Uint8Array) pixels[c]!++;
  const [height, width] = map.dims as [number, number];
  return {
    file,
    height,
    width,
    classes: pixels.flatMap((n, c) =>
      n === 0 ? [] : [{ class: c, pixels: n, fraction: n / map.data.length }],
    ),
  };
}
