/** `upsampling analyze`: the checkerboard of layers, of shapes and of pictures. */
import {
  analyzeCheckerboard,
  type CheckerboardReport,
  DEFAULT_LIMIT,
  nextEvenKernel,
} from '../analysis/checkerboard.js';
import { measureCheckerboard } from '../analysis/measure.js';
import { mustBe, refuse } from '../errors.js';
import type { Archive } from '../files/archive.js';
import { readImage } from '../files/images.js';
import { isNpy, readNpy } from '../files/npy.js';
import { isZip, readNpz, writeNpz } from '../files/npz.js';
import {
  readSafetensors,
  type SafetensorsEntry,
  storeTensor,
  writeSafetensors,
} from '../files/safetensors.js';
import type { Tensor, TensorLike } from '../tensor.js';
import {
  type AnalysedLayer,
  type Findings,
  type Fix,
  findLayers,
  fixLayer,
  type LayerChoice,
  reportOf,
} from './analyze/layers.js';
import { reportHtml } from './analyze/report.js';
import { db, imageText, layerTable, shapeText } from './analyze/table.js';
import { type Command, extents, integer, text, UsageError, type Values } from './command.js';
import { nameOf, readInput, writeOutput } from './streams.js';

const OP = 'analyze';
const FIXES = ['gain', 'icnr', 'bilinear'] as const;

export const analyze: Command = {
  summary: 'checkerboard artifacts of layers, shapes and pictures, and their repair',
  help: `Usage: upsampling analyze FILE.safetensors|FILE.npz [OPTION…]
       upsampling analyze --kernel K --stride S [OPTION…]
       upsampling analyze --image PICTURE|ARRAY.npy --stride S

Finds layers of weights that put a checkerboard into their output: transposed convolutions whose phases have unequal gain.
Exit code 1 when --fail-above is given and a layer (after --fix, if given) is above it.

Layers:
      --layer GLOB            which tensors to take for expanding layers; may be given several times. Default: by bias,
                              name and kernel
      --stride S              2, or one per axis: 2x1. Default: assumed from the kernel
      --padding P, --output-padding P, --dilation D, --groups G
      --mean M                the verdict for inputs of this mean, one number or one per input channel: 0.5 or 0.4,0.1;
                              default: for the worst mean there is
      --kind KIND             conv-transpose (default), or pixel-shuffle for convolutions before a shuffle
Results:
      --fail-above LEVEL      the strongest line tolerated, in dB under the mean, as in -40dB
      --html FILE             a report with figures in one file
      --json                  numbers instead of a table
      --fix REMEDY            gain (of all phases equal), icnr (equal sub-kernels) or bilinear; for layers above the limit
  -o, --out FILE              where the repaired weights go: .safetensors or .npz
  -h, --help                  this text

Examples:
  upsampling analyze decoder.safetensors --html report.html --fail-above -40dB
  upsampling analyze decoder.safetensors --layer 'up*.weight' --stride 2 --fix gain -o fixed.safetensors
  upsampling analyze --kernel 3 --stride 2
  upsampling analyze --image out.png --stride 8
`,
  options: {
    layer: { type: 'string', multiple: true },
    stride: { type: 'string' },
    padding: { type: 'string' },
    'output-padding': { type: 'string' },
    dilation: { type: 'string' },
    groups: { type: 'string' },
    kind: { type: 'string' },
    mean: { type: 'string' },
    kernel: { type: 'string' },
    image: { type: 'string' },
    'fail-above': { type: 'string' },
    html: { type: 'string' },
    json: { type: 'boolean' },
    fix: { type: 'string' },
    out: { type: 'string', short: 'o' },
  },
  run: async (files, values) => {
    const ways = [files.length > 0, values.kernel !== undefined, values.image !== undefined].filter(
      Boolean,
    ).length;
    if (ways === 0)
      throw new UsageError('analyze: a file, --kernel or --image is missing, see upsampling analyze --help');
    if (ways > 1 || files.length > 1) throw new UsageError('analyze: give one file, or --kernel, or --image');
    if (values.kernel !== undefined) return analyseShape(values);
    if (values.image !== undefined) return analysePicture(values);
    return analyseFile(files[0]!, values);
  },
};

const out = (s: string): void => {
  process.stdout.write(s);
};

/** "-40dB" or "-40". */
function level(values: Values): number | undefined {
  const word = text(values, 'fail-above');
  if (word === undefined) return undefined;
  const m = /^(-?\d+(?:\.\d+)?)\s*(?:dB)?$/i.exec(word);
  if (m === null) mustBe(OP, '--fail-above', 'a level as in -40dB', word);
  return Number(m[1]);
}

function meanOf(values: Values): number[] | undefined {
  const word = text(values, 'mean');
  if (word === undefined) return undefined;
  const list = word.split(',').map((n) => (n.trim() === '' ? Number.NaN : Number(n)));
  if (!list.every(Number.isFinite) || list.every((n) => n === 0))
    mustBe(OP, '--mean', 'numbers that are not all 0, as in 0.5 or 0.4,0.1', word);
  return list;
}

function choiceOf(values: Values): LayerChoice {
  const kind = text(values, 'kind') ?? 'conv-transpose';
  if (kind !== 'conv-transpose' && kind !== 'pixel-shuffle')
    mustBe(OP, '--kind', 'one of conv-transpose, pixel-shuffle', kind);
  return {
    globs: (values.layer as string[] | undefined) ?? [],
    stride: extents(OP, values, 'stride'),
    padding: extents(OP, values, 'padding'),
    outputPadding: extents(OP, values, 'output-padding'),
    dilation: extents(OP, values, 'dilation'),
    groups: integer(OP, values, 'groups', 1, 0x7fffffff),
    mean: meanOf(values),
    kind,
    limit: level(values) ?? DEFAULT_LIMIT,
  };
}

async function analyseFile(file: string, values: Values): Promise<number> {
  const choice = choiceOf(values);
  const fix = text(values, 'fix');
  const target = text(values, 'out');
  if (fix !== undefined && !FIXES.includes(fix as Fix))
    mustBe(OP, '--fix', `one of ${FIXES.join(', ')}`, fix);
  if ((fix === undefined) !== (target === undefined))
    throw new UsageError('analyze: --fix and --out go together');
  const name = nameOf(file);
  const archive = openArchive(await readInput(OP, file), name);
  const found = findLayers(archive, choice);
  if (
    choice.globs.length > 0 &&
    found.layers.length + found.failed.length === 0 &&
    found.skipped.every((s) => s.why === 'not asked for')
  )
    throw new UsageError(`analyze: no tensor of ${name} is called ${choice.globs.join(' or ')}`);
  const html = text(values, 'html');
  if (html !== undefined) await writeOutput(OP, html, [Buffer.from(reportHtml(name, found, choice.limit))]);
  const repaired = fix === undefined ? [] : found.layers.map((l) => repair(l, fix as Fix));
  if (target !== undefined) await writeOutput(OP, target, repairedFile(archive, target, repaired));
  const now = (l: AnalysedLayer, i: number): CheckerboardReport => repaired[i]?.after ?? l.report;
  if (values.json === true) out(`${JSON.stringify(jsonOf(name, found, choice, repaired), null, 2)}\n`);
  else {
    out(layerTable(name, found, choice.limit));
    for (const r of repaired)
      if (r.why !== undefined) out(`not fixed  ${r.name}: ${r.why}\n`);
      else if (r.after !== undefined) out(`fixed  ${r.name}: ${db(r.before)} to ${db(r.after.peak.db)}\n`);
  }
  const above = found.layers.some((l, i) => now(l, i).verdict !== 'clean');
  return level(values) !== undefined && (above || found.failed.length > 0) ? 1 : 0;
}

function openArchive(bytes: Uint8Array, name: string): Archive {
  if (isZip(bytes)) return readNpz(bytes, name);
  if (isNpy(bytes)) {
    const tensor = readNpy(bytes, name);
    return {
      format: 'npz',
      metadata: {},
      entries: [{ name: 'weight', stored: 'npy', type: tensor.type, dims: tensor.dims, read: () => tensor }],
    };
  }
  return readSafetensors(bytes, name);
}

interface Repaired {
  readonly name: string;
  readonly before: number;
  /** The layer was above the limit, and this is what it is now, as stored. */
  readonly after: CheckerboardReport | undefined;
  readonly weight: Tensor | undefined;
  readonly why: string | undefined;
}

function repair(l: AnalysedLayer, fix: Fix): Repaired {
  const base = { name: l.name, before: l.report.peak.db };
  if (l.report.verdict === 'clean') return { ...base, after: undefined, weight: undefined, why: undefined };
  const weight = fixLayer(l, fix);
  if (typeof weight === 'string') return { ...base, after: undefined, weight: undefined, why: weight };
  const stored = asStored(l, weight);
  return { ...base, after: reportOf(stored, l), weight: stored, why: undefined };
}

/** The weight as it will be read back: bfloat16 rounds once more. */
function asStored(l: AnalysedLayer, weight: Tensor): Tensor {
  if (l.stored !== 'BF16') return weight;
  const entry = storeTensor(l.name, weight, 'BF16');
  return readSafetensors(Buffer.concat(writeSafetensors([entry]))).entries[0]!.read();
}

function repairedFile(archive: Archive, target: string, repaired: readonly Repaired[]): Uint8Array[] {
  const fixed = new Map(repaired.filter((r) => r.weight !== undefined).map((r) => [r.name, r.weight!]));
  if (/\.npz$/i.test(target))
    return writeNpz(
      archive.entries
        .filter((e) => e.stored !== 'a file')
        .map((e): [string, TensorLike] => [e.name, fixed.get(e.name) ?? e.read()]),
    );
  if (!/\.safetensors$/i.test(target))
    refuse(OP, '--out', `--out must end in .safetensors or .npz, got ${target}`);
  // What is not repaired keeps its very bytes.
  return writeSafetensors(
    archive.entries
      .filter((e) => e.stored !== 'a file')
      .map((e) => {
        const weight = fixed.get(e.name);
        if (weight !== undefined) return storeTensor(e.name, weight, e.stored);
        return 'bytes' in e ? (e as SafetensorsEntry) : storeTensor(e.name, e.read());
      }),
    archive.metadata,
  );
}

function jsonOf(file: string, found: Findings, choice: LayerChoice, repaired: readonly Repaired[]): unknown {
  return {
    file,
    limit: choice.limit,
    layers: found.layers.map((l, i) => ({
      name: l.name,
      weight: l.dims,
      strideAssumed: l.assumed,
      ...numbers(l.report),
      afterGainDb: l.afterDb,
      fixed: repaired[i]?.after === undefined ? undefined : numbers(repaired[i]!.after!),
      notFixed: repaired[i]?.why,
    })),
    failed: found.failed,
    skipped: found.skipped,
  };
}

/** A report without its large tables. */
function numbers(r: CheckerboardReport): object {
  const { gain: _, overlap, ...rest } = r;
  const { map, ...prior } = overlap;
  return { ...rest, overlap: { ...prior, output: map.dims } };
}

async function analyseShape(values: Values): Promise<number> {
  for (const other of ['layer', 'kind', 'mean', 'html', 'fix', 'out', 'image'])
    if (values[other] !== undefined) throw new UsageError(`analyze: --${other} is not for --kernel`);
  const given = extents(OP, values, 'kernel')!;
  const kernel = typeof given === 'number' ? [given, given] : given;
  const choice = choiceOf(values);
  if (choice.stride === undefined) throw new UsageError('analyze: --stride is missing');
  if (
    kernel.length > 3 ||
    kernel.some((k) => k < 1 || k > 4096) ||
    kernel.reduce((a, b) => a * b, 1) > 1 << 24
  )
    mustBe(OP, '--kernel', 'one to three extents from 1 to 4096', text(values, 'kernel'));
  const size = kernel.reduce((a, b) => a * b, 1);
  const { stride, padding, outputPadding, dilation, limit } = choice;
  const report = analyzeCheckerboard(
    { data: new Float32Array(size).fill(1), dims: [1, 1, ...kernel] },
    { stride, padding, outputPadding, dilation, limit },
  );
  const next = kernel.map((k, a) => nextEvenKernel(k, report.stride[a]!, report.dilation[a]!));
  if (values.json === true) out(`${JSON.stringify({ ...numbers(report), nextKernel: next }, null, 2)}\n`);
  else out(shapeText(report, next));
  return level(values) !== undefined && report.verdict !== 'clean' ? 1 : 0;
}

async function analysePicture(values: Values): Promise<number> {
  for (const other of [
    'layer',
    'kind',
    'mean',
    'html',
    'fix',
    'out',
    'padding',
    'output-padding',
    'dilation',
    'groups',
  ])
    if (values[other] !== undefined) throw new UsageError(`analyze: --${other} is not for --image`);
  const path = text(values, 'image')!;
  const stride = extents(OP, values, 'stride');
  if (stride === undefined) throw new UsageError('analyze: --stride is missing');
  const bytes = await readInput(OP, path);
  let m: ReturnType<typeof measureCheckerboard>;
  if (isNpy(bytes)) m = measureCheckerboard(readNpy(bytes, nameOf(path)), { stride });
  else {
    const { tensor, alpha } = await readImage(bytes, nameOf(path));
    m = measureCheckerboard(alpha ? withoutLast(tensor) : tensor, { stride, layout: 'nhwc' });
  }
  if (values.json === true) out(`${JSON.stringify({ file: nameOf(path), ...m }, null, 2)}\n`);
  else out(imageText(nameOf(path), m));
  const limit = level(values);
  // Only what stands out of its neighbourhood is a line; the limit is on its level.
  return limit !== undefined &&
    m.verdict === 'checkerboard' &&
    m.lines.some((l) => l.prominenceDb >= 10 && l.levelDb > limit)
    ? 1
    : 0;
}

/** A picture without its opacity. */
function withoutLast(t: Tensor): Tensor {
  const [h, w, c] = t.dims as [number, number, number];
  const data = (t.data as Uint8Array).filter((_, i) => i % c !== c - 1);
  return { type: t.type, data, dims: [h, w, c - 1] };
}
