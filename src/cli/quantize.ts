/** `upsampling quantize`: a map of numbers (depth, saliency) to a full-size picture of 8 or 16 bits. */
import { extname } from 'node:path';
import { mustBe, refuse } from '../errors.js';
import { writeNpy } from '../files/npy.js';
import { writePng } from '../files/png.js';
import { type InterpolateQuantizeOptions, interpolateQuantize, type Tensor } from '../index.js';
import { readArray } from './arrays.js';
import { type Command, text, UsageError, type Values } from './command.js';
import { outputPaths, resizeOptions } from './resize.js';
import { forEachInput, nameOf, readInput, writeOutput } from './streams.js';

const OP = 'quantize';

export const quantize: Command = {
  summary: 'a map of numbers (depth, saliency) to a full-size 8- or 16-bit picture',
  help: `Usage: upsampling quantize MAP… -o OUT (--size HxW | --scale S) [OPTION…]

MAP is a .npy, .npz or .safetensors file of one map (H, W), (1, H, W) or (1, 1, H, W), or - for standard input. It is
resized, and its range is laid on the levels of the output in the same pass, rounded once. OUT is a grey .png, a .npy,
a folder, or a pattern with {name} or {n}.

Options:
  -o, --out OUT          where to write
      --size HxW         output extent, height first: 1080x1920
  -s, --scale S          output over input extent
  -m, --mode MODE        as of resize; default bilinear
      --align-corners    corner pixels keep their values
      --to TYPE          uint8 (default) or uint16
      --range RANGE      minmax (default), percentile (2nd to 98th), or LO,HI: what becomes 0 and the highest level
      --format F         png or npy, when OUT does not say it
      --tensor NAME      which tensor of a .npz or .safetensors file
      --json             print the counts of lowest and highest level, and the mean
  -h, --help             this text

Examples:
  upsampling quantize depth.npy --size 1080x1920 --to uint16 -o depth.png
  upsampling quantize saliency.npy --scale 4 --range 0,1 -o saliency.png
  upsampling quantize a.npy b.npy --scale 2 --range percentile -o maps/ --format png
`,
  options: {
    out: { type: 'string', short: 'o' },
    size: { type: 'string' },
    scale: { type: 'string', short: 's' },
    mode: { type: 'string', short: 'm' },
    'align-corners': { type: 'boolean' },
    to: { type: 'string' },
    range: { type: 'string' },
    format: { type: 'string' },
    tensor: { type: 'string' },
    json: { type: 'boolean' },
  },
  run: async (inputs, values) => {
    if (inputs.length === 0)
      throw new UsageError('quantize: an input is missing, see upsampling quantize --help');
    const format = text(values, 'format');
    if (format !== undefined && format !== 'png' && format !== 'npy')
      mustBe(OP, '--format', 'one of png, npy', format);
    const outputs = await outputPaths(OP, inputs, text(values, 'out'), format);
    const formats = outputs.map(
      (path) => format ?? (path === '-' ? 'png' : extname(path).slice(1).toLowerCase()),
    );
    for (const [i, f] of formats.entries())
      if (f !== 'png' && f !== 'npy')
        throw new UsageError(`quantize: ${outputs[i]} must end in .png or .npy`);
    const range = rangeOption(values);
    const { layout: _, ...sized } = resizeOptions(OP, values, 'bilinear');
    const options: InterpolateQuantizeOptions = {
      ...sized,
      to: (text(values, 'to') as InterpolateQuantizeOptions['to']) ?? 'uint8',
      ...(range === undefined ? {} : { range }),
    };
    const reports = await forEachInput(inputs, async (input, i) => {
      const name = nameOf(input);
      const x = readArray(OP, await readInput(OP, input), name, text(values, 'tensor'));
      const y = await interpolateQuantize({ ...x, dims: planeDims(x, name) }, options);
      const map = { ...y, dims: y.dims.slice(2) };
      const [height, width] = map.dims as [number, number];
      const data = map.data as Uint8Array | Uint16Array;
      const parts = formats[i] === 'npy' ? writeNpy(map) : [writePng({ width, height, data })];
      await writeOutput(OP, outputs[i]!, parts);
      return statistics(name, data, height, width);
    });
    if (values.json === true) process.stdout.write(`${JSON.stringify(reports, undefined, 2)}\n`);
    return 0;
  },
};

function rangeOption(values: Values): InterpolateQuantizeOptions['range'] {
  const word = text(values, 'range');
  if (word === undefined || word === 'minmax' || word === 'percentile') return word;
  const bounds = word.split(',').map(Number);
  if (bounds.length !== 2 || !bounds.every(Number.isFinite) || word.split(',').some((b) => b.trim() === ''))
    mustBe(OP, '--range', 'minmax, percentile, or two numbers, as in 0,1', word);
  return bounds;
}

/** (H, W) and what has only axes of 1 before it, as (1, 1, H, W). */
function planeDims({ dims }: Tensor, name: string): number[] {
  if (dims.length < 2 || dims.length > 4 || dims.slice(0, -2).some((d) => d !== 1))
    refuse(
      OP,
      name,
      `${name} must be one map, (H, W), (1, H, W) or (1, 1, H, W), got [${dims.join(', ')}]`,
      'ERR_UPSAMPLING_SHAPE',
    );
  return [1, 1, ...dims.slice(-2)];
}

function statistics(file: string, data: Uint8Array | Uint16Array, height: number, width: number) {
  const top = data.BYTES_PER_ELEMENT === 1 ? 255 : 65535;
  let lowest = 0;
  let highest = 0;
  let sum = 0;
  for (const v of data) {
    if (v === 0) lowest++;
    else if (v === top) highest++;
    sum += v;
  }
  return { file, height, width, lowest, highest, mean: sum / data.length };
}
