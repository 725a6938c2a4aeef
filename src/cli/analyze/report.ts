/** The report of an analysis: one HTML file, figures as inline SVG, nothing from the network. */
import type { CheckerboardReport } from '../../analysis/checkerboard.js';
import { layerOf } from '../../analysis/layer.js';
import { checkerboardRemedies, equalizePhaseGain } from '../../analysis/remedies.js';
import { ArgumentError } from '../../errors.js';
import { crop, meanGain, planeOf, proportions } from './crops.js';
import type { AnalysedLayer, Findings } from './layers.js';
import { db, overlapWords, percent, remedyWords } from './table.js';

/** Layers drawn; the table has all. */
const MOST_DRAWN = 12;

const escaped = (s: string): string =>
  s.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #667; --paper: #fff; --line: #d5d8dd; --mark: #0a62c4; --bad: #c02626; --good: #1a7f37; --hole: #8a3ab9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e7ea; --soft: #9aa0aa; --paper: #16181c; --line: #3a3e45; --mark: #6cb2ff; --bad: #ff7b72; --good: #56d364; --hole: #d2a8ff; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.clean { color: var(--good); } .structural, .learned, .failed { color: var(--bad); } .holes { color: var(--hole); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1.2rem 1.5rem; align-items: start; }
figure { margin: 0; } figcaption { font-size: .85rem; color: var(--soft); margin-top: .3rem; }
svg { width: 100%; height: auto; max-height: 22rem; display: block; } svg text { fill: var(--ink); font: 11px system-ui, sans-serif; }
svg .soft { fill: var(--soft); } svg .axis { stroke: var(--line); } svg .curve { stroke: var(--mark); fill: none; stroke-width: 1.6; }
svg .bin { stroke: var(--bad); stroke-width: 1; stroke-dasharray: 3 3; } svg .dot { fill: var(--bad); } svg .limit { stroke: var(--soft); stroke-dasharray: 6 4; }
svg .cell { stroke: var(--line); stroke-width: .5; } svg .heat { fill: var(--mark); } svg .low { fill: var(--bad); }
.crops { grid-column: 1 / -1; display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .8rem; }
.crops img { width: 100%; height: auto; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; background: #808080; }
footer { margin-top: 3rem; font-size: .85rem; color: var(--soft); }
`;

export function reportHtml(file: string, found: Findings, limit: number): string {
  const { layers, skipped, failed } = found;
  const bad = layers.filter((l) => l.report.verdict !== 'clean');
  const drawn = [...layers].sort((a, b) => b.report.peak.db - a.report.peak.db).slice(0, MOST_DRAWN);
  const rows = layers.map(
    (
      l,
    ) => `<tr><td>${escaped(l.name)}</td><td>${l.dims.join('×')}</td><td class="n">${l.report.stride.join('×')}${l.assumed ? ' ?' : ''}</td>
<td class="n">${overlapWords(l.report)}</td><td class="n">${percent(l.report.mean === 'worst' ? l.report.worstRipple : l.report.ripple)}</td><td class="n">${db(l.report.peak.db)}</td>
<td class="${l.report.verdict}">${l.report.verdict}</td><td>${escaped(remedyWords(l))}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Checkerboard analysis: ${escaped(file)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Checkerboard analysis: ${escaped(file)}</h1>
<p>${layers.length} expanding ${layers.length === 1 ? 'layer' : 'layers'}, <strong class="${bad.length > 0 ? 'learned' : 'clean'}">${bad.length} above ${db(limit)}</strong>.
On a flat input every phase of a layer gives a constant of its own; where these differ the output carries a pattern of the stride's period.
<em>Line</em> is its strongest frequency in dB under the mean; <em>ripple</em> the deviation of the phases. Overlap is only a hint; the gain of the phases decides.</p>
<div class="scroll"><table id="layers">
<thead><tr><th>layer</th><th>weight</th><th class="n">stride</th><th class="n">overlap</th><th class="n">ripple</th><th class="n">line</th><th>verdict</th><th>remedy</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>
${failed.length > 0 ? `<h2 class="failed">Not analysed</h2><ul>${failed.map((f) => `<li>${escaped(f.name)}: ${escaped(f.why)}</li>`).join('')}</ul>` : ''}
${drawn.map(layerSection).join('\n')}
${drawn.length < layers.length ? `<p>Drawn are the ${drawn.length} strongest of ${layers.length} layers.</p>` : ''}
${skipped.length > 0 ? `<details><summary>${skipped.length} tensors skipped</summary><ul>${skipped.map((s) => `<li>${escaped(s.name)}: ${escaped(s.why)}</li>`).join('')}</ul></details>` : ''}
<footer>Overlap after A. Odena, V. Dumoulin, C. Olah, “Deconvolution and Checkerboard Artifacts”, Distill 2016 (doi:10.23915/distill.00003, CC-BY 4.0); gain of the phases after
Y. Sugawara, S. Shiota, H. Kiya, arXiv:1806.02658; ICNR after A. Aitken et al., arXiv:1707.02937. Photograph: Chelsea, by Stéfan van der Walt (CC0).</footer>
</body>
</html>
`;
}

function layerSection(l: AnalysedLayer, index: number): string {
  const { report: r } = l;
  const tensor = l.read();
  const remedies = checkerboardRemedies(tensor, l.options);
  const list = remedies
    .map(
      (m) =>
        `<tr><td>${m.name}</td><td>${escaped(m.text)}</td><td class="n">${db(m.peakDb)}</td><td class="n">${m.change === undefined ? '' : percent(m.change)}</td><td>${m.cost}</td></tr>`,
    )
    .join('\n');
  return `<section id="layer-${index}" data-layer="${escaped(l.name)}">
<h2>${escaped(l.name)} <span class="${r.verdict}">${r.verdict}</span></h2>
<p>${r.kind}, weight ${l.dims.join('×')}, stride ${r.stride.join('×')}, padding ${r.padding.join('×')}; line ${db(r.peak.db)} at (${r.peak.bin.map((u, a) => `${u}/${r.stride[a]}`).join(', ')});
ripple ${percent(r.mean === 'worst' ? r.worstRipple : r.ripple)} for the ${r.mean} mean; energy of the phases within ${db(r.energy.imbalanceDb)}; ICNR distance ${r.icnrDistance.toFixed(3)}.${r.remedy === undefined ? '' : ` Cheapest remedy: ${escaped(r.remedy.text)}.`}</p>
<div class="figures">
${figure('overlap', overlapFigure(r), `How many kernel elements reach each output, borders included (${overlapWords(r)} by phase).`)}
${figure('phase-gain', gainFigure(r), 'Gain of each phase, 1 being the mean over phases.')}
${r.response.map((_, a) => figure('spectrum', spectrumFigure(r, a), `Response along axis ${a + 1} with the stride frequencies marked; dots are lines on a flat input.`)).join('\n')}
${r.imageRejection.map((_, a) => (r.stride[a]! > 1 ? figure('image-rejection', rejectionFigure(r, a), `Strongest image of an input frequency along axis ${a + 1}: at 0 it is the checkerboard, above it ordinary aliasing.`) : '')).join('\n')}
${crops(l)}
</div>
<div class="scroll"><table class="remedies"><thead><tr><th>remedy</th><th></th><th class="n">line after</th><th class="n">change</th><th>costs</th></tr></thead><tbody>
${list}
</tbody></table></div>
</section>`;
}

const figure = (kind: string, body: string, caption: string): string =>
  `<figure data-figure="${kind}">${body}<figcaption>${escaped(caption)}</figcaption></figure>`;

/** A grid of values; colour by value over the largest. */
function heat(
  values: readonly number[],
  h: number,
  w: number,
  label: string,
  strength: (v: number) => number,
  words: ((v: number) => string) | undefined,
): string {
  const cell = w <= 3 ? 80 : w <= 8 ? 40 : Math.max(6, Math.floor(320 / w));
  const parts: string[] = [];
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const v = values[y * w + x]!;
      const s = strength(v);
      parts.push(
        `<rect class="cell ${s < 0 ? 'low' : 'heat'}" fill-opacity="${Math.min(Math.abs(s), 1).toFixed(3)}" x="${x * cell}" y="${y * cell}" width="${cell}" height="${cell}"/>`,
      );
      if (words !== undefined && cell >= 14)
        parts.push(
          `<text x="${(x + 0.5) * cell}" y="${(y + 0.5) * cell + 4}" text-anchor="middle">${words(v)}</text>`,
        );
    }
  return `<svg viewBox="-1 -1 ${w * cell + 2} ${h * cell + 2}" role="img" aria-label="${escaped(label)}">${parts.join('')}</svg>`;
}

/** The last two axes; of a third the middle. At most 40 cells along each. */
function lastPlane(
  values: ArrayLike<number>,
  dims: readonly number[],
): { values: number[]; h: number; w: number } {
  const full = dims.length === 1 ? [1, dims[0]!] : dims.slice(-2);
  const [height, width] = full as [number, number];
  const planes = values.length / (height * width);
  const from = Math.floor(planes / 2) * height * width;
  const h = Math.min(height, 40);
  const w = Math.min(width, 40);
  return {
    values: Array.from({ length: h * w }, (_, i) => values[from + Math.floor(i / w) * width + (i % w)]!),
    h,
    w,
  };
}

function overlapFigure(r: CheckerboardReport): string {
  const { values, h, w } = lastPlane(r.overlap.map.counts, r.overlap.map.dims);
  const most = Math.max(...values, 1);
  return heat(values, h, w, 'overlap', (v) => 0.05 + (0.75 * v) / most, String);
}

function gainFigure(r: CheckerboardReport): string {
  const { values, h, w } = lastPlane(r.phaseGain, r.stride);
  const apart = Math.max(...values.map((v) => Math.abs(v - 1)), 1e-9);
  const scale = Math.max(apart, 0.05);
  return heat(
    values,
    h,
    w,
    'gain of the phases',
    (v) => (0.75 * (v - 1)) / scale,
    (v) => v.toFixed(2),
  );
}

const WIDTH = 340;
const HEIGHT = 190;
const LEFT = 40;
const BOTTOM = 26;

interface Scale {
  readonly x: (f: number) => number;
  readonly y: (db: number) => number;
  readonly frame: string;
}

function scaleOf(low: number, high: number, xLabel: string): Scale {
  const x = (f: number) => LEFT + ((WIDTH - LEFT - 8) * f) / 0.5;
  const y = (v: number) =>
    8 + ((HEIGHT - BOTTOM - 8) * (high - Math.min(Math.max(v, low), high))) / (high - low);
  const ticks: string[] = [];
  for (let v = Math.ceil(low / 20) * 20; v <= high; v += 20)
    ticks.push(
      `<line class="axis" x1="${LEFT}" x2="${WIDTH - 8}" y1="${y(v)}" y2="${y(v)}"/><text class="soft" x="${LEFT - 5}" y="${y(v) + 4}" text-anchor="end">${v}</text>`,
    );
  for (const f of [0, 0.125, 0.25, 0.375, 0.5])
    ticks.push(`<text class="soft" x="${x(f)}" y="${HEIGHT - BOTTOM + 13}" text-anchor="middle">${f}</text>`);
  const label = `<text class="soft" x="${(LEFT + WIDTH) / 2}" y="${HEIGHT - 1}" text-anchor="middle">${xLabel}</text>`;
  return { x, y, frame: ticks.join('') + label };
}

const path = (s: Scale, frequency: readonly number[], values: readonly number[]): string =>
  `<path class="curve" d="${frequency.map((f, i) => `${i === 0 ? 'M' : 'L'}${s.x(f).toFixed(1)} ${s.y(values[i]!).toFixed(1)}`).join('')}"/>`;

const canvas = (label: string, body: string): string =>
  `<svg viewBox="0 0 ${WIDTH} ${HEIGHT + 4}" role="img" aria-label="${escaped(label)}">${body}</svg>`;

function spectrumFigure(r: CheckerboardReport, axis: number): string {
  const { frequency, db: values } = r.response[axis]!;
  const high = Math.max(10, ...values, r.peak.db);
  const s = scaleOf(-100, Math.ceil(high / 10) * 10, 'cycles per output, dB under DC');
  const below = r.stride.slice(axis + 1).reduce((a, b) => a * b, 1);
  const bins: string[] = [];
  for (let u = 1; u <= r.stride[axis]! / 2; u++) {
    const f = u / r.stride[axis]!;
    const level = r.spectrum.db[u * below]!;
    bins.push(
      `<line class="bin" x1="${s.x(f)}" x2="${s.x(f)}" y1="8" y2="${HEIGHT - BOTTOM}"/><circle class="dot" cx="${s.x(f)}" cy="${s.y(level)}" r="4"><title>${u}/${r.stride[axis]}: ${db(level)}</title></circle>`,
    );
  }
  const limit = `<line class="limit" x1="${LEFT}" x2="${WIDTH - 8}" y1="${s.y(r.limit)}" y2="${s.y(r.limit)}"/>`;
  return canvas('spectrum', s.frame + limit + path(s, frequency, values) + bins.join(''));
}

function rejectionFigure(r: CheckerboardReport, axis: number): string {
  const { frequency, db: values } = r.imageRejection[axis]!;
  const s = scaleOf(
    -100,
    Math.ceil(Math.max(20, ...values.map((v) => Math.min(v, 60))) / 10) * 10,
    'cycles per input, dB under the signal',
  );
  return canvas('image rejection', s.frame + path(s, frequency, values));
}

function crops(l: AnalysedLayer): string {
  const p = proportions(l.layer);
  const before = planeOf(l.layer, p);
  const gain = meanGain(before);
  const shown: [string, ReturnType<typeof planeOf>][] = [['before', before]];
  try {
    const { mean: _, limit: __, inputSize: ___, ...around } = l.options;
    const even = equalizePhaseGain(l.read(), around);
    shown.push(['after equalising the phases', planeOf(layerOf('analyze', even, around), p)]);
  } catch (error) {
    // Holes cannot be equalised.
    if (!(error instanceof ArgumentError)) throw error;
  }
  const pictures = (['flat', 'photograph'] as const).flatMap((subject) =>
    shown.map(([when, plane]) => {
      const c = crop(plane, subject, gain);
      const what = subject === 'flat' ? 'flat colour' : 'photograph';
      return `<figure data-figure="crop-${subject}-${when.split(' ')[0]}"><img width="${c.width}" height="${c.height}" alt="${what}, ${when}" src="data:image/png;base64,${Buffer.from(c.png).toString('base64')}"><figcaption>${what}, ${when}</figcaption></figure>`;
    }),
  );
  return `<div class="crops">${pictures.join('\n')}</div>`;
}
