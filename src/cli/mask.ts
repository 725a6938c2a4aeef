/** `upsampling mask`: mask scores of instances to full-size binary masks. */
import { extname } from 'node:path';
import { mustBe, refuse } from '../errors.js';
import { writeNpy } from '../files/npy.js';
import { writePng } from '../files/png.js';
import { type InterpolateThresholdOptions, interpolateThreshold, type Tensor } from '../index.js';
import { readArray } from './arrays.js';
import { type Command, number, text, UsageError } from './command.js';
import { outputPaths, resizeOptions } from './resize.js';
import { forEachInput, nameOf, readInput, writeOutput } from './streams.js';

const OP = 'mask';

export const mask: Command = {
  summary: 'mask scores to full-size binary masks, as PNG, .npy or run lengths',
  help: `Usage: upsampling mask MASKS… -o OUT (--size HxW | --scale S) [OPTION…]

MASKS is a .npy, .npz or .safetensors file of mask scores (K, H, W) or (1, K, H, W), or - for standard input. They are
resized and compared with the threshold; only the masks to keep are computed. OUT is .npy (all masks, bytes of 0 and
1), .json (COCO run lengths), or .png: one file per mask, which needs a pattern with {mask} when several are kept
(pixels are 0 and 255).

Options:
  -o, --out OUT          where to write: a file, or a pattern with {name}, {n} (number of the input) and {mask}
      --size HxW         extent of the masks, height first: 1080x1920
  -s, --scale S          output over input extent
  -m, --mode MODE        as of resize; default bilinear
      --align-corners    corner pixels keep their values
      --threshold T      a pixel is set where its score is above T; default 0, with --sigmoid 0.5
      --sigmoid          scores are logits and T is a probability
      --keep LIST        the masks to make, by their numbers: 0,2,5
      --crop Y0,X0,Y1,X1 the part of the scores to show, in pixel edges of the input, fractions allowed
      --tensor NAME      which tensor of a .npz or .safetensors file
      --json             print pixels per mask
  -h, --help             this text

Examples:
  upsampling mask masks.npy --size 1080x1920 -o masks-full.npy
  upsampling mask masks.npy --size 1080x1920 --sigmoid --keep 0,3 -o 'mask-{mask}.png'
  upsampling mask masks.npy --scale 4 -o masks.json --json
`,
  options: {
    out: { type: 'string', short: 'o' },
    size: { type: 'string' },
    scale: { type: 'string', short: 's' },
    mode: { type: 'string', short: 'm' },
    'align-corners': { type: 'boolean' },
    threshold: { type: 'string' },
    sigmoid: { type: 'boolean' },
    keep: { type: 'string' },
    crop: { type: 'string' },
    tensor: { type: 'string' },
    json: { type: 'boolean' },
  },
  run: async (inputs, values) => {
    if (inputs.length === 0) throw new UsageError('mask: an input is missing, see upsampling mask --help');
    const out = text(values, 'out');
    if (out === undefined) throw new UsageError('mask: -o OUT is missing, see upsampling mask --help');
    const ending = extname(out).toLowerCase();
    if (out !== '-' && !['.npy', '.png', '.json'].includes(ending))
      throw new UsageError(`mask: ${out} must end in .npy, .png or .json`);
    if (inputs.length > 1 && !/\{(name|n)\}/.test(out))
      throw new UsageError(`mask: several inputs need a pattern with {name} or {n}, got ${out}`);
    const outputs = await outputPaths(OP, inputs, out, 'any');
    const threshold = number(OP, values, 'threshold');
    const keep = list(values.keep, 'keep', /^\d+(,\d+)*$/, 'numbers of masks, as in 0,2,5');
    const crop = list(values.crop, 'crop', /^[\d.]+(,[\d.]+){3}$/, 'four numbers, as in 0,16.5,128,111.5');
    const { layout: _, ...sized } = resizeOptions(OP, values, 'bilinear');
    const options: InterpolateThresholdOptions = {
      ...sized,
      ...(threshold === undefined ? {} : { threshold }),
      ...(keep === undefined ? {} : { keep }),
      ...(crop === undefined ? {} : { crop }),
      sigmoid: values.sigmoid === true,
    };
    const reports = await forEachInput(inputs, async (input, i) => {
      const name = nameOf(input);
      const scores = readArray(OP, await readInput(OP, input), name, text(values, 'tensor'));
      const x = { ...scores, dims: batched(scores, name) };
      const numbers = keep ?? Array.from({ length: x.dims[1]! }, (_, k) => k);
      const path = outputs[i]!;
      if (ending === '.png' && numbers.length > 1 && !path.includes('{mask}'))
        throw new UsageError(`mask: ${numbers.length} masks to .png need a pattern with {mask}, got ${path}`);
      const masks = await interpolateThreshold(x, options);
      if (ending === '.json') {
        const [runs] = await interpolateThreshold(x, { ...options, rle: 'string' });
        const entries = runs!.map((r, k) => ({ mask: numbers[k], ...r }));
        await writeOutput(OP, path, [Buffer.from(`${JSON.stringify(entries, undefined, 2)}\n`)]);
      } else if (ending === '.png') {
        for (const [k, number] of numbers.entries())
          await writeOutput(OP, path.replaceAll('{mask}', String(number)), [png(masks, k)]);
      } else await writeOutput(OP, path, writeNpy({ ...masks, dims: masks.dims.slice(1) }));
      return statistics(name, masks, numbers);
    });
    if (values.json === true) process.stdout.write(`${JSON.stringify(reports, undefined, 2)}\n`);
    return 0;
  },
};

function list(value: unknown, name: string, grammar: RegExp, words: string): number[] | undefined {
  if (value === undefined) return undefined;
  const numbers = String(value).split(',').map(Number);
  if (!grammar.test(String(value)) || !numbers.every(Number.isFinite)) mustBe(OP, `--${name}`, words, value);
  return numbers;
}

function batched({ dims }: Tensor, name: string): number[] {
  if (dims.length === 3) return [1, ...dims];
  if (dims.length === 4 && dims[0] === 1) return dims;
  refuse(
    OP,
    name,
    `${name} must be masks of one picture, (K, H, W) or (1, K, H, W), got [${dims.join(', ')}]`,
    'ERR_UPSAMPLING_SHAPE',
  );
}

const planeOf = (masks: Tensor, k: number): Uint8Array => {
  const [height, width] = masks.dims.slice(2) as [number, number];
  return (masks.data as Uint8Array).subarray(k * height * width, (k + 1) * height * width);
};

function png(masks: Tensor, k: number): Uint8Array {
  const [height, width] = masks.dims.slice(2) as [number, number];
  return writePng({ width, height, data: planeOf(masks, k).map((v) => 255 * v) });
}

function statistics(file: string, masks: Tensor, numbers: readonly number[]) {
  const [height, width] = masks.dims.slice(2) as [number, number];
  const counted = numbers.map((mask, k) => ({ mask, pixels: planeOf(masks, k).reduce((a, v) => a + v, 0) }));
  return { file, height, width, masks: counted };
}
