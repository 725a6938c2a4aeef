/** `upsampling mask` as a process. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/files/npy.js';
import { interpolateThresholdSync } from '../../src/index.js';
import type { Tensor } from '../../src/tensor.js';
import { temporaryFolder, upsampling } from '../support/cli.js';
import { random } from '../support/random.js';

const dir = temporaryFolder();
const path = (name: string) => join(dir, name);
const run = (...words: string[]) => upsampling(['mask', ...words], { cwd: dir });
const r = random(3);
const scores = { data: Float32Array.from({ length: 3 * 5 * 6 }, () => r.next() - 0.5), dims: [1, 3, 5, 6] };
writeFileSync(path('masks.npy'), Buffer.concat(writeNpy({ ...scores, dims: [3, 5, 6] })));
const wanted = interpolateThresholdSync(scores, { size: [20, 30], mode: 'bilinear' }) as Tensor;
const plane = (k: number) => Array.from(wanted.data as Uint8Array).slice(600 * k, 600 * (k + 1));

it('writes all masks as one array', () => {
  expect(run('masks.npy', '--size', '20x30', '-o', 'all.npy')).toMatchObject({ code: 0, out: '', err: '' });
  const all = readNpy(readFileSync(path('all.npy')));
  expect(all).toMatchObject({ type: 'uint8', dims: [3, 20, 30] });
  expect(Array.from(all.data, Number)).toEqual(Array.from(wanted.data, Number));
});

it('writes the kept masks as pictures', async () => {
  expect(run('masks.npy', '--size', '20x30', '--keep', '2,0', '-o', 'm-{mask}.png').err).toBe('');
  expect(
    readdirSync(dir)
      .filter((f) => f.startsWith('m-'))
      .sort(),
  ).toEqual(['m-0.png', 'm-2.png']);
  for (const k of [0, 2]) {
    const raw = await sharp(path(`m-${k}.png`))
      .toColourspace('b-w')
      .raw()
      .toBuffer();
    expect(Array.from(raw)).toEqual(plane(k).map((v) => 255 * v));
  }
});

it('writes run lengths and counts pixels', () => {
  const done = run('masks.npy', '--size', '20x30', '-o', 'runs.json', '--json');
  expect(done.err).toBe('');
  const [report] = JSON.parse(done.out) as [{ masks: { mask: number; pixels: number }[] }];
  for (const m of report.masks) expect(m.pixels).toBe(plane(m.mask).reduce((a, b) => a + b, 0));
  const runs = JSON.parse(readFileSync(path('runs.json'), 'utf8')) as {
    mask: number;
    size: number[];
    counts: string;
  }[];
  expect(runs.map((m) => [m.mask, m.size])).toEqual([0, 1, 2].map((k) => [k, [20, 30]]));
  expect(runs.every((m) => typeof m.counts === 'string')).toBe(true);
});

it('takes probabilities and a fractional crop', () => {
  const words = ['--sigmoid', '--threshold', '0.6', '--crop', '0.5,0,4.25,6'];
  expect(run('masks.npy', '--size', '8x8', ...words, '-o', 'crop.npy').err).toBe('');
  const want = interpolateThresholdSync(scores, {
    size: [8, 8],
    mode: 'bilinear',
    sigmoid: true,
    threshold: 0.6,
    crop: [0.5, 0, 4.25, 6],
  }) as Tensor;
  expect(Array.from(readNpy(readFileSync(path('crop.npy'))).data, Number)).toEqual(
    Array.from(want.data, Number),
  );
});

it.each<[string, number, string[], RegExp]>([
  ['no output', 2, ['masks.npy', '-s', '2'], /-o OUT is missing/],
  ['a JPEG', 2, ['masks.npy', '-s', '2', '-o', 'z.jpg'], /z\.jpg must end in/],
  [
    'many masks to one picture',
    2,
    ['masks.npy', '-s', '2', '-o', 'z.png'],
    /3 masks to \.png need a pattern/,
  ],
  [
    'words to keep',
    2,
    ['masks.npy', '-s', '2', '--keep', 'all', '-o', 'z.npy'],
    /--keep must be numbers of masks/,
  ],
  ['a mask that is not there', 2, ['masks.npy', '-s', '2', '--keep', '3', '-o', 'z.npy'], /keep must/],
  [
    'a crop outside',
    2,
    ['masks.npy', '-s', '2', '--crop', '0,0,9,9', '-o', 'z.npy'],
    /crop must be a window/,
  ],
])('refuses %s', (_, code, words, message) => {
  const before = readdirSync(dir).sort();
  const done = run(...words);
  expect(done.err).toMatch(/^upsampling: [^\n]+\n$/);
  expect(done.err).toMatch(message);
  expect(done.code).toBe(code);
  expect(readdirSync(dir).sort()).toEqual(before);
});
