/** The parts of the benchmark that do not measure: workloads as data, the report, the comparison of two runs. */
import { describe, expect, it } from 'vitest';
import {
  barChart,
  comparison,
  markdown,
  type Row,
  replaceBlock,
  type Timing,
} from '../../bench/lib/report.mjs';
import { shapes } from '../../bench/shapes.mjs';
import { costOf, type Workload, workloads } from '../../bench/workloads.mjs';

const count = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
/** Batch, channels and extents of a tensor of the workload. */
const parts = (w: Workload, dims: readonly number[]) => {
  if (dims.length === 3) return { n: dims[0]!, c: w.input[1]!, extents: dims.slice(1) };
  return w.layout === 'nhwc'
    ? { n: dims[0]!, c: dims[3]!, extents: dims.slice(1, 3) }
    : { n: dims[0]!, c: dims[1]!, extents: dims.slice(2) };
};

/** The output's extents as the operator's definition gives them. */
function extentsOf(w: Workload): readonly number[] {
  const o = w.options;
  const from = parts(w, w.input).extents;
  const [stride, padding] = [o.stride ?? 1, o.padding ?? 0];
  const taps = (w.weight?.slice(2) ?? []).map((k) => (k - 1) * (o.dilation ?? 1) + 1);
  switch (w.op) {
    case 'interpolate':
    case 'interpolateArgmax':
      return o.size!;
    case 'maxPool2d':
    case 'maxPool2dWithIndices':
      return from.map((l) => Math.floor((l + 2 * padding - o.kernelSize!) / stride) + 1);
    case 'maxUnpool2d':
      return from.map((l) => (l - 1) * stride + o.kernelSize!);
    case 'convTranspose2d':
      return from.map((l, i) => (l - 1) * stride - 2 * padding + taps[i]! + (o.outputPadding ?? 0));
    case 'conv2d':
      return from.map((l, i) => Math.floor((l + 2 * padding - taps[i]!) / stride) + 1);
    case 'resizeConv2d':
      return from.map((l, i) => l * o.scaleFactor! + 2 * padding - taps[i]! + 1);
    case 'pixelShuffle':
      return from.map((l) => l * o.upscaleFactor!);
    default:
      throw new Error(w.op);
  }
}

describe('workloads', () => {
  it('have names of their own', () => {
    const all = [...workloads, ...shapes];
    expect(new Set(all.map((w) => w.id)).size).toBe(all.length);
  });

  it.each([...workloads, ...shapes].map((w) => [w.id, w] as const))('%s: dims and costs agree', (_, w) => {
    const [from, to] = [parts(w, w.input), parts(w, w.output)];
    expect(to.extents).toEqual(extentsOf(w));
    expect(to.n).toBe(from.n);
    const { bytes, flops } = costOf(w);
    const size = w.type === 'uint8' ? 1 : 4;
    expect(bytes.read).toBeGreaterThanOrEqual(count(w.input) * size);
    expect(bytes.write).toBeGreaterThanOrEqual(count(w.output) * (w.op === 'interpolateArgmax' ? 1 : size));
    if (w.weight === undefined) {
      if (w.op === 'pixelShuffle' || w.op === 'maxUnpool2d') expect(flops).toBe(0);
      if (w.op === 'pixelShuffle') expect(count(w.output)).toBe(count(w.input));
      else expect(to.c).toBe(from.c);
      return;
    }
    const transposed = w.op === 'convTranspose2d';
    const groups = w.options.groups!;
    const [lead, second] = w.weight as [number, number];
    expect([lead, second]).toEqual(transposed ? [from.c, to.c / groups] : [to.c, from.c / groups]);
    const products = count(transposed ? w.input : w.output) * (count(w.weight) / lead);
    expect(flops).toBeLessThanOrEqual(2 * products);
    expect(flops).toBeGreaterThan(0.8 * products);
  });
});

it('counts the operations of the direct algorithm', () => {
  const flops = (id: string) => costOf(workloads.find((w) => w.id === id)!).flops;
  expect(flops('R1')).toBe(0);
  expect(flops('R2')).toBe(64 * 3 * (128 * 256 + 256 * 256));
  expect(flops('R5')).toBe(3 * 8 * (512 * 1024 + 1024 * 1024));
  expect(flops('R8')).toBe(150 * (3 * (128 * 512 + 512 * 512) + 2 * 512 * 512));
  expect(flops('R11')).toBe(3 * (1080 * 1920 + 1080 * 224));
  expect(flops('R10') / (3 * 4)).toBeCloseTo(1080 * 1920 + 1080 * 224);
  expect(flops('P3')).toBe(64 * 128 * 128 * 9);
  expect(flops('C2')).toBe(2 * 64 * 21 * 256 * 256);
});

const timing = (engine: string, ms: number, more: Partial<Timing> = {}): Timing => ({
  engine,
  variant: 'reuse',
  ms,
  least: ms * 0.9,
  most: ms * 1.1,
  ...more,
});
const row = (id: string, ours: number, peer: number, more: Partial<Row> = {}): Row => ({
  id,
  title: `title of ${id}`,
  threads: 2,
  ours: timing('upsampling', ours),
  fresh: timing('upsampling', ours * 3, { variant: 'fresh' }),
  beyond: 250_000,
  peer: timing('torch', peer),
  anyLayout: timing('torch', peer / 2),
  wrong: [],
  bound: { ms: ours / 1.5, by: 'l3' },
  cost: { bytes: { read: 1e6, write: 3e6 }, flops: 0 },
  ...more,
});
const run = (rows: readonly Row[]) => ({
  date: '2026-01-02',
  cpu: 'a processor',
  node: 'v20',
  versions: { torch: { version: '2.0', note: '2 threads' }, tfjs: { absent: 'not installed' } },
  rows,
});

describe('report', () => {
  const good = row('R1', 0.5, 4);
  const lost = row('R2 <', 2, 1, { wrong: [timing('opencv', 0.1, { worst: 0.25 })] });

  it('has a line for every workload, and names losses and wrong results', () => {
    const text = markdown(run([good, lost, { ...good, threads: 1 }]));
    expect(text).toContain('torch 2.0 (2 threads); tfjs: absent (not installed)');
    expect(text).toContain(
      '| R1 | title of R1 | 0.5 ms | ±10 % | 1.5 ms | 8 GB/s | 0.3 MB | torch 4 ms | 8.00× | 4.00× | 1.50× |',
    );
    const [two, one] = text.split('1 thread:');
    expect(two).toContain('Slower than a peer in the same layout: R2 <.');
    expect(two).toContain('Not compared, because the result is wrong: R2 < opencv reuse (off by 0.25).');
    expect(one).toContain('No workload of this run was slower than a peer in the same layout.');
  });

  it('draws a bar for every workload with a peer', () => {
    const { peer: _, ...alone } = good;
    const svg = barChart([good, lost, alone]);
    expect(svg).toContain('8.0× torch');
    expect(svg).toContain('R2 &lt;');
    expect(svg.match(/<text x="8" y="\d+" fill/g)).toHaveLength(2);
    expect(svg).not.toMatch(/NaN|undefined/);
  });

  it('compares two runs where both have the workload', () => {
    const lines = comparison(run([good, lost]), run([row('R1', 0.25, 4), row('R3', 1, 1)])).split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[1]!.trim().split(/\s+/)).toEqual([
      'R1',
      '2',
      '0.500',
      '0.250',
      '0.50',
      '8.00',
      '→',
      '16.00',
    ]);
  });

  it('replaces what is between two marks, and only that', () => {
    const text = 'a <!-- x:begin --> old <!-- x:end --> b';
    expect(replaceBlock(text, 'x', 'new')).toBe('a <!-- x:begin -->\nnew\n<!-- x:end --> b');
    expect(() => replaceBlock(text, 'y', 'new')).toThrow('y:begin');
  });
});
