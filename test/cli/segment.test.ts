/** `upsampling segment` as a process. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/files/npy.js';
import { writeNpz } from '../../src/files/npz.js';
import { classColours, writePng } from '../../src/files/png.js';
import { interpolateArgmaxSync } from '../../src/reference.js';
import type { Tensor } from '../../src/tensor.js';
import { temporaryFolder, upsampling } from '../support/cli.js';
import { random } from '../support/random.js';

const dir = temporaryFolder();
const path = (name: string) => join(dir, name);
const run = (...words: string[]) => upsampling(['segment', ...words], { cwd: dir });
const scores = (dims: number[], seed = 1): Tensor => {
  const r = random(seed);
  const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => r.next());
  return { type: 'float32', data, dims };
};
const save = (name: string, t: Tensor) => writeFileSync(path(name), Buffer.concat(writeNpy(t)));
const logits = scores([5, 6, 7]);
const wanted = interpolateArgmaxSync(
  { ...logits, dims: [1, ...logits.dims] },
  { size: [20, 30], mode: 'bilinear' },
) as Tensor;

beforeAll(async () => {
  save('logits.npy', logits);
  const photo = Uint8Array.from({ length: 20 * 30 * 3 }, (_, i) => i % 256);
  await sharp(photo, { raw: { width: 30, height: 20, channels: 3 } }).toFile(path('photo.png'));
});

/** The palette and the pixel numbers of an indexed PNG, read by sharp as colours and looked up again. */
async function classesOf(name: string, classes: number): Promise<number[]> {
  const { data, info } = await sharp(path(name)).raw().toBuffer({ resolveWithObject: true });
  const colours = classColours(classes);
  return Array.from({ length: info.width * info.height }, (_, p) => {
    for (let c = 0; c < classes; c++)
      if ([0, 1, 2].every((k) => colours[3 * c + k] === data[info.channels * p + k])) return c;
    return -1;
  });
}

it('writes a class map with a palette', async () => {
  expect(run('logits.npy', '--size', '20x30', '-o', 'map.png')).toMatchObject({ code: 0, out: '', err: '' });
  expect(await sharp(path('map.png')).metadata()).toMatchObject({ width: 30, height: 20, isPalette: true });
  expect(await classesOf('map.png', 5)).toEqual(Array.from(wanted.data, Number));
});

it('writes a class map as an array, from every kind of file', () => {
  writeFileSync(path('one.npz'), Buffer.concat(writeNpz([['logits', logits]])));
  writeFileSync(
    path('two.npz'),
    Buffer.concat(
      writeNpz([
        ['other', scores([2, 2, 2])],
        ['logits', logits],
      ]),
    ),
  );
  const batch = { ...logits, dims: [1, ...logits.dims] };
  save('batch.npy', batch);
  for (const words of [['logits.npy'], ['batch.npy'], ['one.npz'], ['two.npz', '--tensor', 'logits']]) {
    expect(run(...words, '--size', '20x30', '-o', 'map.npy').err).toBe('');
    const map = readNpy(readFileSync(path('map.npy')));
    expect(map).toMatchObject({ type: 'uint8', dims: [20, 30] });
    expect(Array.from(map.data, Number)).toEqual(Array.from(wanted.data, Number));
  }
  const piped = upsampling(['segment', '-', '--size', '20x30', '-o', '-', '--format', 'npy'], {
    input: readFileSync(path('logits.npy')),
  });
  expect(piped.err).toBe('');
  expect(readNpy(piped.bytes).dims).toEqual([20, 30]);
});

it('takes 300 classes to 16 bits', async () => {
  save('many.npy', scores([300, 3, 3]));
  expect(run('many.npy', '-s', '2', '-o', 'many.png').err).toBe('');
  expect(await sharp(path('many.png')).metadata()).toMatchObject({
    width: 6,
    height: 6,
    depth: 'ushort',
    space: 'grey16',
  });
  const raw = await sharp(path('many.png')).toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer();
  const want = interpolateArgmaxSync(
    { ...scores([300, 3, 3]), dims: [1, 300, 3, 3] },
    { scaleFactor: 2, mode: 'bilinear', classType: 'uint16' },
  ) as Tensor;
  expect(Array.from(new Uint16Array(new Uint8Array(raw).buffer))).toEqual(Array.from(want.data, Number));
});

it('lays the classes over a photograph of the same size', async () => {
  expect(run('logits.npy', '--overlay', 'photo.png', '--opacity', '0.25', '-o', 'seen.png').err).toBe('');
  const { data, info } = await sharp(path('seen.png')).raw().toBuffer({ resolveWithObject: true });
  expect([info.height, info.width]).toEqual([20, 30]);
  const colours = classColours(5);
  for (let i = 0; i < data.length; i++) {
    const colour = colours[3 * Number(wanted.data[Math.floor(i / 3)]) + (i % 3)]!;
    expect(data[i]).toBe(Math.round(0.75 * (i % 256) + 0.25 * colour));
  }
});

it('counts pixels per class', () => {
  const r = run('logits.npy', '--size', '20x30', '--json');
  expect(r.code).toBe(0);
  const [report] = JSON.parse(r.out) as [
    { file: string; height: number; width: number; classes: { class: number; pixels: number }[] },
  ];
  expect(report).toMatchObject({ file: 'logits.npy', height: 20, width: 30 });
  const counts = new Map<number, number>();
  for (const c of wanted.data) counts.set(Number(c), (counts.get(Number(c)) ?? 0) + 1);
  for (const { class: c, pixels } of report.classes) expect(pixels).toBe(counts.get(c));
  expect(report.classes.length).toBe(counts.size);
});

it('knows a background', () => {
  expect(run('logits.npy', '-s', '1', '--threshold', '2', '--background', '4', '-o', 'b.npy').err).toBe('');
  expect(new Set(readNpy(readFileSync(path('b.npy'))).data as Uint8Array)).toEqual(new Set([4]));
});

it('takes many files', () => {
  expect(run('logits.npy', 'batch.npy', '-s', '2', '-o', 'map-of-{name}.png').err).toBe('');
  expect(readdirSync(dir)).toEqual(expect.arrayContaining(['map-of-logits.png', 'map-of-batch.png']));
});

it.each<[string, number, string[], RegExp]>([
  ['no input', 2, ['-s', '2', '-o', 'm.png'], /an input is missing/],
  ['no output', 2, ['logits.npy', '-s', '2'], /-o OUT is missing/],
  ['no size', 2, ['logits.npy', '-o', 'm.png'], /--size or --scale is missing/],
  ['a map as JPEG', 2, ['logits.npy', '-s', '2', '-o', 'm.jpg'], /m\.jpg must end in \.png or \.npy/],
  ['an opacity above 1', 2, ['logits.npy', '-s', '2', '--opacity', '2', '-o', 'm.png'], /--opacity must be/],
  [
    'a photograph of another size',
    1,
    ['logits.npy', '-s', '2', '--overlay', 'photo.png', '-o', 'm.png'],
    /--overlay must be a picture of 12×14/,
  ],
  [
    'scores of two pictures',
    1,
    ['pair.npy', '-s', '2', '-o', 'm.png'],
    /pair\.npy must be scores of one picture/,
  ],
  [
    'a missing tensor',
    1,
    ['one.npz', '--tensor', 'x', '-s', '2', '-o', 'm.png'],
    /holds no tensor "x", only: logits/,
  ],
  [
    'a choice of tensors',
    2,
    ['two.npz', '-s', '2', '-o', 'm.png'],
    /holds 2 tensors, choose one with --tensor/,
  ],
  ['a picture', 1, ['photo.png', '-s', '2', '-o', 'm.png'], /photo\.png is not a readable \.npy file/],
])('refuses %s', (_, code, words, message) => {
  save('pair.npy', scores([2, 3, 4, 4]));
  const before = readdirSync(dir).sort();
  const r = run(...words);
  expect(r.err).toMatch(/^upsampling: [^\n]+\n$/);
  expect(r.err).toMatch(message);
  expect(r.code).toBe(code);
  expect(readdirSync(dir).sort()).toEqual(before);
});

it('writes PNG that other readers read', async () => {
  const grey = Uint8Array.from({ length: 35 }, (_, i) => (i * 53) & 255);
  const deep = Uint16Array.from({ length: 35 }, (_, i) => i * 1871);
  const read8 = await sharp(writePng({ width: 7, height: 5, data: grey }))
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  expect(new Uint8Array(read8)).toEqual(grey);
  const read16 = await sharp(writePng({ width: 5, height: 7, data: deep }))
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer();
  expect(new Uint16Array(new Uint8Array(read16).buffer)).toEqual(deep);
});
