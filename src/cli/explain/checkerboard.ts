/** `upsampling explain checkerboard`: where the pattern comes from, drawn from our own numbers. */
import { analyzeCheckerboard, nextEvenKernel } from '../../analysis/checkerboard.js';
import { bilinearWeights } from '../../analysis/initialisers.js';
import { equalizePhaseGain } from '../../analysis/remedies.js';
import { mustBe } from '../../errors.js';
import type { Tensor } from '../../index.js';
import { integer, type Values } from '../command.js';
import { show } from './panels.js';
import type { Topic } from './topic.js';

const OP = 'explain';
const INPUTS = 5;

export const checkerboard: Topic = {
  summary: 'the checkerboard of transposed convolutions, and what to do about it',
  options: ['kernel-size', 'stride'],
  text: (values) => story(sizeOf(values, 'kernel-size', 3), sizeOf(values, 'stride', 2)),
};

function sizeOf(values: Values, name: string, otherwise: number): number {
  const n = integer(OP, values, name, 1, 8) ?? otherwise;
  if (!Number.isInteger(n)) mustBe(OP, `--${name}`, 'one integer from 1 to 8', n);
  return n;
}

const layer = (taps: readonly number[]): Tensor => ({
  type: 'float64',
  data: Float64Array.from(taps),
  dims: [1, 1, taps.length],
});

function story(kernel: number, stride: number): string {
  const flat = analyzeCheckerboard(layer(new Array(kernel).fill(1)), {
    stride,
    inputSize: INPUTS,
    mean: [1],
  });
  const square = analyzeCheckerboard(
    { data: new Float64Array(kernel * kernel).fill(1), dims: [1, 1, kernel, kernel] },
    { stride, mean: [1] },
  );
  const counts = Array.from(flat.overlap.map.counts);
  const words = (r: typeof flat) => `${r.overlap.phases.join(' ')}${r.overlap.even ? ', even' : ', uneven'}`;
  const next = nextEvenKernel(kernel, stride)!;
  return `The checkerboard of transposed convolutions

A transposed convolution writes a copy of its kernel for every input, ${stride} outputs further each time. Kernel ${kernel}, stride ${stride},
${INPUTS} inputs, each a row:

${paintings(kernel, stride, counts.length)}

${'sum'.padEnd(8)}${counts.map((c) => String(c).padStart(2)).join('')}   how many inputs reach each output
${bars(counts)}

By phase (output position modulo ${stride}): ${words(flat)}. In two dimensions: ${words(square)}; where ${Math.max(...square.overlap.phases)} copies meet beside ${Math.min(...square.overlap.phases)}, equal
weights draw a pattern of ${stride}×${stride}: the strongest line is ${level(square.peak.db)}${square.peak.db > -200 ? ' under the mean' : ''}.
${kernel % stride === 0 ? `The kernel is divisible by the stride, so the overlap is even.` : `A kernel divisible by the stride, ${next} here, overlaps evenly.`}

But overlap decides nothing by itself: on a flat input a phase gives the SUM of its weights, and only sums that differ
draw a pattern. Gains of the phases:

${gains()}

What to do, cheapest first: make the gains equal (analyze --fix gain; training may undo it), begin with ICNR or bilinear
weights, put a mean over ${stride}×${stride} outputs behind the layer, or resize first and convolve then (resize-convolution), which
has no phases. Find it in your own decoder: upsampling analyze decoder.safetensors --html report.html

The picture and the prior are those of A. Odena, V. Dumoulin, C. Olah, "Deconvolution and Checkerboard Artifacts", Distill
2016, doi 10.23915/distill.00003 (text and figures CC-BY 4.0), redrawn from this package's numbers. The verdict by gains is
that of Y. Sugawara, S. Shiota, H. Kiya, arXiv 1806.02658; ICNR of A. Aitken et al., arXiv 1707.02937.
`;
}

/** One row per input: where its copy of the kernel lands, found from the answer to that input alone. */
function paintings(kernel: number, stride: number, length: number): string {
  const one = analyzeCheckerboard(layer(new Array(kernel).fill(1)), { stride, inputSize: 1, mean: [1] })
    .overlap.map.counts;
  return Array.from({ length: INPUTS }, (_, i) => {
    const cells = Array.from({ length }, (_, o) => ((one[o - i * stride] ?? 0) > 0 ? ' #' : ' ·'));
    return `${`input ${i}`.padEnd(8)}${cells.join('')}`;
  }).join('\n');
}

function bars(counts: readonly number[]): string {
  const most = Math.max(...counts);
  return Array.from(
    { length: most },
    (_, row) => `${' '.repeat(8)}${counts.map((c) => (c >= most - row ? ' █' : '  ')).join('')}`,
  ).join('\n');
}

const level = (db: number): string => (db <= -200 ? 'nothing' : `${show(Number(db.toFixed(1)))} dB`);

/** The counter-examples to the rule of divisibility. */
function gains(): string {
  const random = [0.3, -0.2, 0.9, 0.1];
  const even = equalizePhaseGain(layer(random), { stride: 2 });
  const cases: [string, Tensor, number][] = [
    ['k3 s2 [1 1 1]', layer([1, 1, 1]), 2],
    ['k3 s2 [½ 1 ½]', layer([0.5, 1, 0.5]), 2],
    ['k5 s3 bilinear', bilinearWeights({ stride: [3], type: 'float64' }), 3],
    [`k4 s2 [${random.join(' ')}]`, layer(random), 2],
    [
      `k4 s2 [${Array.from(even.data as Float64Array, (v) => show(Number(v.toFixed(3)))).join(' ')}]`,
      even,
      2,
    ],
  ];
  const width = Math.max(...cases.map(([name]) => name.length));
  return cases
    .map(([name, weight, stride]) => {
      const r = analyzeCheckerboard(weight, { stride, mean: [1] });
      const sums = Array.from(r.gain.matrices, (g) => show(Number(g.toFixed(4)))).join(' : ');
      return `  ${name.padEnd(width)}  overlap ${r.overlap.phases.join(':').padEnd(6)} gain ${sums.padEnd(12)} line ${level(r.peak.db).padEnd(8)}  ${r.verdict}`;
    })
    .join('\n');
}
