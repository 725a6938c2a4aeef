/** `upsampling resize` as a process: pictures and arrays, streams, many files, and everything that is refused. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/files/npy.js';
import { interpolateSync } from '../../src/reference.js';
import { temporaryFolder, upsampling } from '../support/cli.js';
import { random as seeded } from '../support/random.js';

const dir = temporaryFolder();
const path = (name: string) => join(dir, name);
const run = (...words: string[]) => upsampling(['resize', ...words], { cwd: dir });
const random = (n: number, top: number) => {
  const r = seeded(n);
  return Array.from({ length: n }, () => r.int(0, top));
};

/** A picture of noise: rows × columns × channels. */
const noise = { height: 5, width: 7 };
async function picture(name: string, channels: 1 | 2 | 3 | 4, deep = false) {
  const values = random(noise.height * noise.width * channels, deep ? 65535 : 255);
  const data = deep ? Uint16Array.from(values) : Uint8Array.from(values);
  let pipe = sharp(data, { raw: { ...noise, channels } });
  if (deep) pipe = pipe.toColourspace(channels < 3 ? 'grey16' : 'rgb16');
  else if (channels < 3) pipe = pipe.toColourspace('b-w');
  // sharp's TIFF is lossy unless told otherwise.
  await (name.endsWith('.tiff') ? pipe.tiff({ compression: 'deflate' }) : pipe).toFile(path(name));
  return data;
}

let rgb: Uint8Array;
beforeAll(async () => {
  rgb = (await picture('rgb.png', 3)) as Uint8Array;
  writeFileSync(
    path('x.npy'),
    Buffer.concat(writeNpy({ data: Float32Array.from(random(24, 99)), dims: [2, 3, 4] })),
  );
});

it('enlarges a picture as interpolate does', async () => {
  for (const mode of ['nearest', 'bilinear', 'bicubic', 'area']) {
    expect(run('rgb.png', '--size', '11x9', '-m', mode, '-o', `${mode}.png`)).toEqual(
      expect.objectContaining({ code: 0, out: '', err: '' }),
    );
    const { data, info } = await sharp(path(`${mode}.png`))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.height, info.width, info.channels]).toEqual([11, 9, 3]);
    const want = interpolateSync(
      { data: rgb, dims: [1, noise.height, noise.width, 3] },
      { size: [11, 9], mode: mode as 'nearest', layout: 'nhwc' },
    );
    const worst = Math.max(...Array.from(data, (v, i) => Math.abs(v - Number(want.data[i]!))));
    expect(worst, mode).toBeLessThanOrEqual(mode === 'nearest' ? 0 : 1);
  }
});

it('keeps the depth, the channels and the exact values at the same size', async () => {
  for (const channels of [1, 2, 3, 4] as const)
    for (const deep of [false, true])
      for (const ending of ['png', 'tiff']) {
        const name = `same-${channels}-${deep ? 16 : 8}.${ending}`;
        const data = await picture(name, channels, deep);
        expect(run(name, '-s', '1', '-m', 'nearest', '-o', `out-${name}`).err).toBe('');
        const back = sharp(path(`out-${name}`));
        const meta = await back.metadata();
        expect([meta.channels, meta.depth], name).toEqual([channels, deep ? 'ushort' : 'uchar']);
        const shown = deep
          ? back.toColourspace(channels < 3 ? 'grey16' : 'rgb16')
          : channels === 1
            ? back.toColourspace('b-w')
            : back;
        const raw = await shown.raw({ depth: deep ? 'ushort' : 'uchar' }).toBuffer();
        let got = Array.from(deep ? new Uint16Array(new Uint8Array(raw).buffer) : new Uint8Array(raw));
        // sharp gives grey with opacity as colour.
        if (channels === 2 && !deep) got = got.filter((_, i) => i % 4 === 0 || i % 4 === 3);
        expect(got, name).toEqual(Array.from(data));
      }
});

it('does not let the colours of clear pixels bleed', async () => {
  const data = Uint8Array.from([255, 0, 0, 255, 0, 255, 0, 0]);
  await sharp(data, { raw: { width: 2, height: 1, channels: 4 } })
    .png()
    .toFile(path('clear.png'));
  expect(run('clear.png', '--size', '1x4', '-m', 'bilinear', '-o', 'clear-out.png').err).toBe('');
  const out = await sharp(path('clear-out.png')).raw().toBuffer();
  for (let p = 0; p < 3; p++) expect([...out.subarray(4 * p, 4 * p + 3)]).toEqual([255, 0, 0]);
  expect([3, 7, 11, 15].map((i) => out[i])).toEqual([255, 191, 64, 0]);
});

it('turns a picture upright', async () => {
  await sharp(rgb, { raw: { ...noise, channels: 3 } })
    .withMetadata({ orientation: 6 })
    .png()
    .toFile(path('turned.png'));
  expect(run('turned.png', '-s', '2', '-o', 'upright.png').err).toBe('');
  const meta = await sharp(path('upright.png')).metadata();
  expect([meta.height, meta.width, meta.orientation]).toEqual([14, 10, undefined]);
});

it.each(['jpg', 'webp', 'tiff', 'png'])('writes .%s', async (ending) => {
  expect(run('rgb.png', '-s', '2', '-o', `as.${ending}`).err).toBe('');
  const meta = await sharp(path(`as.${ending}`)).metadata();
  expect([meta.format, meta.width, meta.height]).toEqual([ending === 'jpg' ? 'jpeg' : ending, 14, 10]);
});

it('resizes arrays of 2, 3 and 4 axes', () => {
  const data = Float32Array.from(random(24, 99));
  for (const [dims, words, want] of [
    [
      [4, 6],
      ['-s', '2'],
      [8, 12],
    ],
    [
      [2, 3, 4],
      ['--size', '6x4'],
      [2, 6, 4],
    ],
    [
      [1, 2, 3, 4],
      ['-s', '2x1.5', '-m', 'nearest'],
      [1, 2, 6, 6],
    ],
    [
      [3, 4, 2],
      ['-s', '2', '--layout', 'nhwc'],
      [6, 8, 2],
    ],
    [
      [4, 6],
      ['-s', '2', '--layout', 'nhwc'],
      [8, 12],
    ],
    [
      [2, 3, 4],
      ['-s', '2', '-m', 'linear'],
      [2, 3, 8],
    ],
    [
      [1, 2, 3, 4, 1],
      ['-s', '2', '-m', 'trilinear'],
      [1, 2, 6, 8, 2],
    ],
  ] as const) {
    writeFileSync(path('a.npy'), Buffer.concat(writeNpy({ data, dims: dims.slice() })));
    expect(run('a.npy', ...words, '-o', 'b.npy').err).toBe('');
    expect(readNpy(readFileSync(path('b.npy'))).dims).toEqual(want);
  }
});

it('gives the numbers of interpolate', () => {
  expect(run('x.npy', '--size', '5x9', '-m', 'bicubic', '--align-corners', '-o', 'y.npy').err).toBe('');
  const x = readNpy(readFileSync(path('x.npy')));
  const want = interpolateSync(x, { size: [5, 9], mode: 'bicubic', alignCorners: true });
  const got = readNpy(readFileSync(path('y.npy')));
  for (let i = 0; i < want.data.length; i++) expect(got.data[i]).toBeCloseTo(Number(want.data[i]), 3);
});

it('reads standard input and writes standard output', () => {
  const r = upsampling(['resize', '-', '-s', '2', '-o', '-'], { input: readFileSync(path('x.npy')) });
  expect(r.err).toBe('');
  expect(readNpy(r.bytes).dims).toEqual([2, 6, 8]);
  const p = upsampling(['resize', '-', '-s', '2', '-o', '-', '--format', 'webp'], {
    input: readFileSync(path('rgb.png')),
  });
  expect(p.bytes.subarray(8, 12).toString()).toBe('WEBP');
});

it('takes many inputs to a folder or by a pattern', () => {
  expect(run('rgb.png', 'x.npy', '-s', '2', '-o', 'many/').err).toBe('');
  expect(readdirSync(path('many')).sort()).toEqual(['rgb.png', 'x.npy']);
  expect(run('rgb.png', 'x.npy', '-s', '2', '-o', 'many/{name}-{n}.npy').err).toBe('');
  expect(readdirSync(path('many')).sort()).toEqual(['rgb-1.npy', 'rgb.png', 'x-2.npy', 'x.npy']);
  expect(readNpy(readFileSync(path('many/rgb-1.npy')))).toMatchObject({ type: 'uint8', dims: [10, 14, 3] });
});

it('writes pictures of arrays that are pictures', async () => {
  writeFileSync(path('p.npy'), Buffer.concat(writeNpy({ data: rgb, dims: [5, 7, 3] })));
  expect(run('p.npy', '-s', '2', '--layout', 'nhwc', '-o', 'p.png').err).toBe('');
  expect(await sharp(path('p.png')).metadata()).toMatchObject({ width: 14, height: 10, channels: 3 });
});

it.each<[string, number, string[], RegExp]>([
  ['no input', 2, ['-s', '2', '-o', 'z.png'], /an input is missing/],
  ['no output', 2, ['rgb.png', '-s', '2'], /-o OUT is missing/],
  ['no size', 2, ['rgb.png', '-o', 'z.png'], /--size or --scale is missing/],
  ['both sizes', 2, ['rgb.png', '-s', '2', '--size', '2x2', '-o', 'z.png'], /not both/],
  [
    'a wrong size',
    2,
    ['rgb.png', '--size', '2*2', '-o', 'z.png'],
    /--size must be HEIGHTxWIDTH.*, got "2\*2"/,
  ],
  ['a size of zero', 2, ['rgb.png', '--size', '0x2', '-o', 'z.png'], /size must be .*positive integer/],
  ['a negative scale', 2, ['rgb.png', '--scale', '-2', '-o', 'z.png'], /--scale must be a factor/],
  [
    'an unknown mode',
    2,
    ['rgb.png', '-s', '2', '-m', 'cubic', '-o', 'z.png'],
    /mode must be one of .* got "cubic"/,
  ],
  ['an unknown ending', 2, ['rgb.png', '-s', '2', '-o', 'z.gif'], /z\.gif must end in/],
  [
    'an unknown format',
    2,
    ['rgb.png', '-s', '2', '--format', 'gif', '-o', 'z.png'],
    /--format must be one of/,
  ],
  [
    'quality beyond 100',
    2,
    ['rgb.png', '-s', '2', '--quality', '101', '-o', 'z.jpg'],
    /--quality must be an integer/,
  ],
  ['many inputs to one file', 2, ['rgb.png', 'x.npy', '-s', '2', '-o', 'z.png'], /several inputs need/],
  ['outputs that meet', 2, ['rgb.png', 'rgb.png', '-s', '2', '-o', '{name}-z.png'], /would be written over/],
  [
    'an output that is an input',
    2,
    ['rgb.png', '-s', '2', '-o', './rgb.png'],
    /would be written over an input/,
  ],
  ['a missing value', 2, ['rgb.png', '-o'], /-o/],
  [
    'a missing file',
    1,
    ['none.png', '-s', '2', '-o', 'z.png'],
    /none\.png cannot be read: there is no such file/,
  ],
  ['a folder', 1, ['empty', '-s', '2', '-o', 'z.png'], /empty is a folder/],
  [
    'a folder that is not there',
    1,
    ['rgb.png', '-s', '2', '-o', 'no/where/z.png'],
    /its folder does not exist/,
  ],
  [
    'a file that is no picture',
    1,
    ['text.png', '-s', '2', '-o', 'z.png'],
    /text\.png is not a readable picture/,
  ],
  [
    'a truncated array',
    1,
    ['short.npy', '-s', '2', '-o', 'z.npy'],
    /short\.npy is not a readable .npy file: .* at byte/,
  ],
  ['floats as a picture', 1, ['x.npy', '-s', '2', '-o', 'z.png'], /is no picture/],
])('refuses %s', (_, code, words, message) => {
  mkdirSync(path('empty'), { recursive: true });
  writeFileSync(path('text.png'), 'just words');
  writeFileSync(path('short.npy'), readFileSync(path('x.npy')).subarray(0, 150));
  const before = readdirSync(dir).sort();
  const r = run(...words);
  expect(r.err).toMatch(/^upsampling: [^\n]+\n$/);
  expect(r.err).toMatch(message);
  expect(r.code).toBe(code);
  expect(readdirSync(dir).sort()).toEqual(before);
});
