/** Which tensors of a file are expanding layers, and what each is found to be. */
import {
  analyseLayer,
  type CheckerboardOptions,
  type CheckerboardReport,
} from '../../analysis/checkerboard.js';
import { type ExpandingKind, type Layer, layerOf } from '../../analysis/layer.js';
import { bilinearLike, equalizePhaseGain, projectIcnr } from '../../analysis/remedies.js';
import { ArgumentError } from '../../errors.js';
import type { Archive, ArchiveEntry } from '../../files/archive.js';
import type { Tensor } from '../../tensor.js';

/** What the command line says of all layers. */
export interface LayerChoice {
  readonly globs: readonly string[];
  readonly stride: number | number[] | undefined;
  readonly padding: number | number[] | undefined;
  readonly outputPadding: number | number[] | undefined;
  readonly dilation: number | number[] | undefined;
  readonly groups: number | undefined;
  /** One number for all input channels, or one each; left out, the worst there is. */
  readonly mean: readonly number[] | undefined;
  readonly kind: ExpandingKind;
  readonly limit: number;
}

export interface AnalysedLayer {
  readonly name: string;
  readonly dims: readonly number[];
  /** The element type as the file words it. */
  readonly stored: string;
  readonly options: CheckerboardOptions;
  /** The stride was guessed from the kernel. */
  readonly assumed: boolean;
  readonly layer: Layer;
  readonly report: CheckerboardReport;
  /** The strongest line after equalising the gain of the phases; undefined where that is not needed or not possible. */
  readonly afterDb: number | undefined;
  readonly read: () => Tensor;
}

export interface Findings {
  readonly layers: readonly AnalysedLayer[];
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
  /** Layers that could not be analysed: weights that are not finite, groups that do not fit. */
  readonly failed: readonly { readonly name: string; readonly why: string }[];
}

export function findLayers(archive: Archive, choice: LayerChoice): Findings {
  const layers: AnalysedLayer[] = [];
  const skipped: { name: string; why: string }[] = [];
  const failed: { name: string; why: string }[] = [];
  const dimsOf = new Map<string, readonly number[]>();
  for (const e of archive.entries) if (e.dims !== undefined) dimsOf.set(e.name, e.dims);
  const globs = choice.globs.map(globOf);
  for (const entry of archive.entries) {
    const short = entry.name.replace(/\.weight$/, '');
    const asked = globs.some((g) => g.test(entry.name) || g.test(short));
    if (globs.length > 0 && !asked) {
      skipped.push({ name: entry.name, why: 'not asked for' });
      continue;
    }
    try {
      const tensor = readIfRank(entry);
      const dims = tensor.dims;
      const why = whyNot(
        entry.name,
        tensor,
        dimsOf.get(`${short}.bias`) ?? dimsOf.get(`${short}_bias`),
        asked,
        choice,
      );
      if (why !== undefined) {
        skipped.push({ name: entry.name, why });
        continue;
      }
      const kernel = dims.slice(2);
      const stride = choice.stride ?? kernel.map(likelyStride);
      const geometry = {
        kind: choice.kind,
        stride,
        padding: choice.padding,
        outputPadding: choice.outputPadding,
        dilation: choice.dilation,
        groups: choice.groups,
        limit: choice.limit,
      };
      const layer = layerOf('analyze', tensor, geometry);
      const mean =
        choice.mean?.length === 1 ? new Array<number>(layer.inChannels).fill(choice.mean[0]!) : choice.mean;
      const options: CheckerboardOptions = { ...geometry, mean };
      const report = analyseLayer('analyze', layer, options);
      const needs = report.verdict === 'structural' || report.verdict === 'learned';
      layers.push({
        name: entry.name,
        dims,
        stored: entry.stored,
        options,
        assumed: choice.stride === undefined,
        layer,
        report,
        afterDb: needs ? peakOf(equalizePhaseGain(tensor, plain(options)), options) : undefined,
        read: () => entry.read(),
      });
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      // A stride below 1 is no property of one layer.
      if (error.code === 'ERR_UPSAMPLING_OPTION' && (error.param === 'stride' || error.param === 'dilation'))
        throw error;
      if (error.code === 'ERR_UPSAMPLING_FILE' && archive.format === 'npz') throw error;
      failed.push({ name: entry.name, why: error.message.replace(/^[a-zA-Z]+: /, '') });
    }
  }
  return { layers, skipped, failed };
}

const peakOf = (weight: Tensor, options: CheckerboardOptions): number =>
  analyseLayer('analyze', layerOf('analyze', weight, options), options).peak.db;

/** The layer's options without the ones of the analysis. */
function plain(options: CheckerboardOptions) {
  const { kind, stride, padding, outputPadding, dilation, groups } = options;
  return { kind, stride, padding, outputPadding, dilation, groups };
}

/** Tensors whose extents say that they are no layer are not read. */
function readIfRank(entry: ArchiveEntry): Tensor {
  if (entry.dims !== undefined && (entry.dims.length < 3 || entry.dims.length > 5))
    return { type: 'float32', data: new Float32Array(0), dims: [...entry.dims] };
  if (entry.stored === 'a file' || (entry.type === undefined && entry.dims !== undefined))
    return { type: 'uint8', data: new Uint8Array(0), dims: [...(entry.dims ?? [])] };
  return entry.read();
}

/** Why a tensor is no expanding layer; undefined if it is one as far as can be told. */
function whyNot(
  name: string,
  tensor: Tensor,
  bias: readonly number[] | undefined,
  asked: boolean,
  choice: LayerChoice,
): string | undefined {
  const { dims, type } = tensor;
  if (dims.length < 3 || dims.length > 5) return `${dims.length} dimensions, a convolution has 3 to 5`;
  if (type !== 'float32' && type !== 'float64' && type !== 'float16') return `elements of ${type}`;
  if (dims.includes(0)) return 'an empty axis';
  if (asked) return undefined;
  const kernel = dims.slice(2);
  if (kernel.every((k) => k === 1)) return 'a kernel of 1 expands nothing';
  if (choice.kind === 'pixel-shuffle') {
    const phases = [choice.stride ?? 2].flat();
    const all = phases.length === 1 ? phases[0]! ** kernel.length : phases.reduce((a, b) => a * b, 1);
    return dims[0]! % all === 0
      ? undefined
      : `${dims[0]} output channels, which cannot be shuffled by ${all}`;
  }
  const [first, second] = dims as [number, number];
  const groups = choice.groups ?? 1;
  // A bias has one element per output channel: the first extent of a convolution, the second of a transposed one.
  if (bias?.length === 1 && first !== second * groups) {
    if (bias[0] === second * groups) return undefined;
    if (bias[0] === first) return 'a convolution: its bias has the length of its first extent';
  }
  const looks = /(^|[^a-z])(up|deconv|tconv|convt|trans|unpool|upsampl|upconv|decode)/i.test(name);
  if (looks || kernel.every((k) => k % 2 === 0)) return undefined;
  return 'looks like a convolution; --layer names it if it expands';
}

/** The stride that goes with a kernel: 2 for 2, 3 and 4, else half of the kernel, as bilinear kernels have it. */
const likelyStride = (kernel: number): number => (kernel === 1 ? 1 : Math.max(2, Math.ceil(kernel / 2)));

function globOf(glob: string): RegExp {
  const escaped = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`);
}

export type Fix = 'gain' | 'icnr' | 'bilinear';

/** The weight with a remedy applied; a sentence where that cannot be. */
export function fixLayer(found: AnalysedLayer, fix: Fix): Tensor | string {
  const options = plain(found.options);
  try {
    if (fix === 'gain') return equalizePhaseGain(found.read(), options);
    if (fix === 'icnr') return projectIcnr(found.read(), options);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    return error.message.replace(/^[a-zA-Z]+: /, '');
  }
  return (
    bilinearLike(found.layer) ??
    'bilinear weights are diagonal: as many channels out as in, groups 1 or all, and no shuffle'
  );
}

/** What the analysis says of a fixed weight. */
export const reportOf = (weight: Tensor, found: AnalysedLayer): CheckerboardReport =>
  analyseLayer('analyze', layerOf('analyze', weight, found.options), found.options);
