/** `upsampling quantize` as a process. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/files/npy.js';
import { interpolateQuantizeSync } from '../../src/index.js';
import type { Tensor } from '../../src/tensor.js';
import { repository } from '../support/child.js';
import { temporaryFolder, upsampling } from '../support/cli.js';
import { random } from '../support/random.js';

const dir = temporaryFolder();
const path = (name: string) => join(dir, name);
const run = (...words: string[]) => upsampling(['quantize', ...words], { cwd: dir });
const r = random(4);
const map = { data: Float32Array.from({ length: 35 }, () => 100 * r.next()), dims: [1, 1, 5, 7] };
writeFileSync(path('depth.npy'), Buffer.concat(writeNpy({ ...map, dims: [5, 7] })));

it.each([
  ['uint8', []],
  ['uint16', []],
  ['uint8', ['--range', '10,60.5']],
  ['uint16', ['--range', 'percentile']],
] as const)('writes %s as PNG and as .npy %j', async (to, words) => {
  const range =
    words.length === 0 ? {} : { range: words[1] === 'percentile' ? ('percentile' as const) : [10, 60.5] };
  const want = interpolateQuantizeSync(map, { size: [10, 21], mode: 'bilinear', to, ...range }) as Tensor;
  for (const ending of ['png', 'npy'])
    expect(run('depth.npy', '--size', '10x21', '--to', to, ...words, '-o', `q.${ending}`)).toMatchObject({
      code: 0,
      err: '',
    });
  const array = readNpy(readFileSync(path('q.npy')));
  expect(array).toMatchObject({ type: to, dims: [10, 21] });
  expect(Array.from(array.data, Number)).toEqual(Array.from(want.data, Number));
  const deep = to === 'uint16';
  const raw = await sharp(path('q.png'))
    .toColourspace(deep ? 'grey16' : 'b-w')
    .raw({ depth: deep ? 'ushort' : 'uchar' })
    .toBuffer();
  const seen = deep ? new Uint16Array(new Uint8Array(raw).buffer) : raw;
  expect(Array.from(seen)).toEqual(Array.from(want.data, Number));
});

it('takes many files and tells their levels', () => {
  writeFileSync(path('other.npy'), Buffer.concat(writeNpy({ ...map, dims: [1, 5, 7] })));
  const done = run('depth.npy', 'other.npy', '-s', '2', '-o', 'maps/', '--format', 'png', '--json');
  expect(done.err).toBe('');
  expect(readdirSync(path('maps')).sort()).toEqual(['depth.png', 'other.png']);
  const reports = JSON.parse(done.out) as { file: string; height: number; lowest: number; highest: number }[];
  expect(reports.map((x) => [x.file, x.height])).toEqual([
    ['depth.npy', 10],
    ['other.npy', 10],
  ]);
  for (const x of reports) expect(Math.min(x.lowest, x.highest)).toBeGreaterThanOrEqual(1);
});

it('works at several files at once: one that is slow to come does not hold up the next', async () => {
  execFileSync('mkfifo', [path('slow.npy')]);
  const words = ['quantize', 'slow.npy', 'depth.npy', '-s', '2', '-o', 'two/', '--format', 'npy'];
  const working = spawn(process.execPath, [join(repository, 'dist/cli/main.js'), ...words], { cwd: dir });
  const ended = once(working, 'exit');
  while (!existsSync(path('two/depth.npy'))) await new Promise((f) => setTimeout(f, 20));
  expect(existsSync(path('two/slow.npy'))).toBe(false);
  writeFileSync(path('slow.npy'), readFileSync(path('depth.npy')));
  expect(await ended).toEqual([0, null]);
  expect(readFileSync(path('two/slow.npy'))).toEqual(readFileSync(path('two/depth.npy')));
});

it('says how far it is', () => {
  const names = Array.from({ length: 9 }, (_, i) => `m${i}.npy`);
  for (const name of names) writeFileSync(path(name), Buffer.concat(writeNpy({ ...map, dims: [5, 7] })));
  const words = ['quantize', ...names, '-s', '3', '-o', 'nine/', '--format', 'npy'];
  // A terminal of its own, since progress is shown on one alone.
  const script = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)';
  const main = join(repository, 'dist/cli/main.js');
  const shown = spawnSync('python3', ['-c', script, process.execPath, main, ...words], {
    cwd: dir,
    encoding: 'utf8',
  });
  expect(shown.status).toBe(0);
  expect([...shown.stdout.matchAll(/(\d)\/9 (\S*)/g)].map((m) => [m[1], m[2]])).toEqual([
    ['0', ''],
    ...names.map((name, i) => [String(i + 1), name]),
  ]);
  expect(readdirSync(path('nine')).sort()).toEqual(names);
});

it.each<[string, number, string[], RegExp]>([
  ['no output', 2, ['depth.npy', '-s', '2'], /-o OUT is missing/],
  ['a JPEG', 2, ['depth.npy', '-s', '2', '-o', 'z.jpg'], /z\.jpg must end in \.png or \.npy/],
  ['a range of one', 2, ['depth.npy', '-s', '2', '--range', '1', '-o', 'z.png'], /--range must be minmax/],
  ['a range that falls', 2, ['depth.npy', '-s', '2', '--range', '2,1', '-o', 'z.png'], /range must/],
  [
    'another type',
    2,
    ['depth.npy', '-s', '2', '--to', 'int8', '-o', 'z.png'],
    /to must be one of uint8, uint16/,
  ],
  ['several maps', 1, ['three.npy', '-s', '2', '-o', 'z.png'], /three\.npy must be one map/],
])('refuses %s', (_, code, words, message) => {
  writeFileSync(path('three.npy'), Buffer.concat(writeNpy({ data: new Float32Array(12), dims: [3, 2, 2] })));
  const before = readdirSync(dir).sort();
  const done = run(...words);
  expect(done.err).toMatch(/^upsampling: [^\n]+\n$/);
  expect(done.err).toMatch(message);
  expect(done.code).toBe(code);
  expect(readdirSync(dir).sort()).toEqual(before);
});
