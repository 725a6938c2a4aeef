/** Findings as text for the terminal. */
import type { CheckerboardReport } from '../../analysis/checkerboard.js';
import type { MeasuredCheckerboard } from '../../analysis/measure.js';
import type { AnalysedLayer, Findings } from './layers.js';

const COLOURS = {
  clean: 32,
  structural: 31,
  learned: 31,
  holes: 35,
  checkerboard: 31,
  failed: 31,
  dim: 2,
} as const;

/** Colours only where a person looks. */
export function paint(text: string, colour: keyof typeof COLOURS): string {
  const coloured = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  return coloured ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
}

export const db = (value: number): string =>
  value <= -200 ? 'none' : value >= 200 ? 'inf dB' : `${(Math.abs(value) < 0.05 ? 0 : value).toFixed(1)} dB`;

export const percent = (ratio: number): string =>
  ratio >= 1e6 ? 'inf' : `${(100 * ratio).toPrecision(3)} %`;

const times = (list: readonly number[]): string =>
  list.every((v) => v === list[0]) ? String(list[0]) : list.join('x');

export const overlapWords = (r: CheckerboardReport): string => {
  const { phases, even } = r.overlap;
  const most = Math.max(...phases);
  const least = Math.min(...phases);
  return even ? 'even' : `${most}:${least}`;
};

/** Rows in columns; the first `left` columns begin at the left, the others end at the right. */
function columns(
  rows: readonly (readonly string[])[],
  left: readonly number[],
  shades: readonly ((s: string) => string)[][] = [],
): string {
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((r) => r[c]!.length)));
  return rows
    .map((row, r) =>
      row
        .map((cell, c) => {
          const padded = left.includes(c) ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!);
          return shades[r]?.[c]?.(padded) ?? padded;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const verdictShade = (verdict: keyof typeof COLOURS) => (s: string) => paint(s, verdict);

export function layerTable(file: string, found: Findings, limit: number): string {
  const { layers, skipped, failed } = found;
  const head = ['layer', 'weight', 'stride', 'overlap', 'ripple', 'line', 'verdict', 'remedy'];
  const rows = layers.map((l) => [
    l.name,
    l.dims.join('x'),
    times(l.report.stride) + (l.assumed ? '?' : ''),
    overlapWords(l.report),
    percent(l.report.mean === 'worst' ? l.report.worstRipple : l.report.ripple),
    db(l.report.peak.db),
    l.report.verdict,
    remedyWords(l),
  ]);
  const bad = layers.filter((l) => l.report.verdict !== 'clean').length;
  const parts: string[] = [];
  if (rows.length > 0) {
    const shades = [[], ...layers.map((l) => Object.assign([], { 6: verdictShade(l.report.verdict) }))] as ((
      s: string,
    ) => string)[][];
    parts.push(columns([head, ...rows], [0, 1, 6, 7], shades));
  }
  parts.push(
    `${file}: ${layers.length} expanding ${layers.length === 1 ? 'layer' : 'layers'}, ${bad} above ${db(limit)}` +
      (failed.length > 0 ? `, ${failed.length} that cannot be analysed` : '') +
      (layers.some((l) => l.assumed)
        ? '; strides with ? are assumed from the kernel, --stride says them'
        : ''),
  );
  for (const f of failed) parts.push(`${paint('failed', 'failed')}   ${f.name}: ${f.why}`);
  for (const s of skipped.slice(0, 20)) parts.push(paint(`skipped  ${s.name}: ${s.why}`, 'dim'));
  if (skipped.length > 20)
    parts.push(paint(`skipped  … ${skipped.length - 20} more, --json lists them`, 'dim'));
  return `${parts.join('\n')}\n`;
}

export function remedyWords(l: AnalysedLayer): string {
  const { remedy } = l.report;
  if (remedy === undefined) return '';
  return l.afterDb === undefined ? remedy.text : `--fix gain: ${db(l.afterDb)} after`;
}

/** One layer without weights: what its shape alone says. */
export function shapeText(r: CheckerboardReport, next: readonly (number | undefined)[]): string {
  const { overlap, stride } = r;
  const lines = [
    `kernel ${r.kernel.join('x')}, stride ${stride.join('x')}, padding ${r.padding.join('x')}, dilation ${r.dilation.join('x')}`,
    `verdict of the shape: ${paint(r.verdict, r.verdict)}${
      r.verdict === 'clean' ? ' (even overlap; trained weights can still be uneven: give the file)' : ''
    }`,
    `overlap by phase: ${overlap.phases.join(' ')}, ${overlapWords(r)}; with equal weights the line is ${db(r.peak.db)}`,
  ];
  if (r.verdict !== 'clean') lines.push(`remedy: ${r.remedy!.text}`);
  else if (next.every((k, i) => k === r.kernel[i])) lines.push('the kernel is divisible by the stride');
  lines.push(
    '',
    'how many kernel elements reach each output, borders included:',
    overlapPicture(overlap.map),
  );
  return `${lines.join('\n')}\n`;
}

/** The overlap map of the last two axes in characters. */
function overlapPicture(map: CheckerboardReport['overlap']['map']): string {
  const dims = map.dims.length === 1 ? [1, ...map.dims] : map.dims;
  const [h, w] = dims.slice(-2) as [number, number];
  const last = map.counts.subarray(Math.floor(map.counts.length / (h * w) / 2) * h * w);
  const shown = (n: number) => Math.min(n, 40);
  const width = Math.max(...Array.from(last.subarray(0, h * w), (c) => String(c).length));
  return Array.from({ length: shown(h) }, (_, y) =>
    Array.from({ length: shown(w) }, (_, x) => String(last[y * w + x]!).padStart(width)).join(' '),
  ).join('\n');
}

export function imageText(file: string, m: MeasuredCheckerboard): string {
  const lines = [...m.lines].sort((a, b) => b.prominenceDb - a.prominenceDb);
  const [sy, sx] = m.stride;
  const rows = lines
    .slice(0, 16)
    .map((l) => [`(${l.bin[0]}/${sy}, ${l.bin[1]}/${sx})`, db(l.prominenceDb), db(l.levelDb)]);
  const table =
    rows.length === 0
      ? ''
      : `${columns([['line', 'above its neighbours', 'under the mean'], ...rows], [0])}\n`;
  return `${table}${file}: ${paint(m.verdict, m.verdict)}, ${m.windows} windows of ${m.window.join('x')}\n`;
}
