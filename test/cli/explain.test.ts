/** `upsampling explain` as a process: the textbook's numbers, and the same work for any other small matrix. */
import { expect, it } from 'vitest';
import { upsampling } from '../support/cli.js';

const run = (...words: string[]) => upsampling(['explain', ...words]);
/** The text with runs of spaces as one, to find matrices by their rows. */
const plain = (s: string) => s.replace(/ +/g, ' ');

/** The panel under a title: the rows of numbers that stand below it, in its columns. */
function panel(text: string, title: string): string {
  const lines = text.split('\n');
  const at = lines.findIndex((l) => l.includes(title));
  expect(at, `${title} in\n${text}`).toBeGreaterThanOrEqual(0);
  const from = lines[at]!.indexOf(title);
  // The next panel begins where its title does, four spaces on.
  const next = lines[at]!.slice(from).search(/ {4,}\S/);
  const rows: string[] = [];
  for (const line of lines.slice(at + 1)) {
    const cells = next < 0 ? line.slice(from) : line.slice(from, from + next + 4);
    if (cells.trim() === '') break;
    rows.push(cells.trim().replace(/ +/g, ' '));
  }
  return rows.join('; ');
}

it('shows the textbook examples when asked for nothing in particular', () => {
  const { code, out, err } = run();
  expect([code, err]).toEqual([0, '']);
  expect(panel(out, 'input 5×5')).toBe('0 1 0 1 1; 0 0 1 1 0; 1 1 0 1 0; 0 1 0 0 1; 0 0 1 1 0');
  expect(panel(out, 'kernel 3×3')).toBe('0 1 0; 1 -4 1; 0 1 0');
  expect(panel(out, 'output 3×3')).toBe('3 -3 -1; -2 3 -3; -3 2 3');
  expect(panel(out, 'their sum: output 5×5')).toBe(panel(out, 'after both'));
  expect(panel(out, 'after both')).not.toBe(panel(out, 'the picture before'));
  expect(plain(out)).toContain('It is 5×5 again, which is NOT the input');
  expect(panel(out, 'their sum: output 3×3')).toBe('0 0 1; 0 4 6; 4 12 9');
});

it('explains a transposed convolution stamp by stamp', () => {
  const { out } = run('conv-transpose');
  expect(panel(out, 'in[0,0] = 0')).toBe('0 0 ·; 0 0 ·; · · ·');
  expect(panel(out, 'in[0,1] = 1')).toBe('· 0 1; · 2 3; · · ·');
  expect(panel(out, 'in[1,0] = 2')).toBe('· · ·; 0 2 ·; 4 6 ·');
  expect(panel(out, 'in[1,1] = 3')).toBe('· · ·; · 0 3; · 6 9');
  expect(panel(out, 'stamps that meet there')).toBe('1 2 1; 2 4 2; 1 2 1');
  const wide = run('conv-transpose2d', '--stride', '2', '--input', '0 1; 2 3', '--kernel', '0 1; 2 3').out;
  expect(panel(wide, 'their sum: output 4×4')).toBe('0 0 0 1; 0 0 2 3; 0 2 0 3; 4 6 6 9');
  const shifted = run('conv-transpose', '--stride', '2', '--padding', '1', '--output-padding', '1').out;
  expect(panel(shifted, 'their sum: output 3×3')).toBe('0 2 3; 2 0 3; 6 6 9');
});

it('explains a convolution window by window', () => {
  const { out } = run(
    'conv',
    '--input',
    '1 2 3; 4 5 6; 7 8 9',
    '--kernel',
    '1 -1; 2 0',
    '--stride',
    '2',
    '--padding',
    '1',
  );
  expect(panel(out, 'output 2×2')).toBe('0 4; -4 15');
  expect(panel(out, 'out[0,0] = 0')).toBe('·×1 ·×-1; ·×2 1×0');
  expect(panel(out, 'out[1,1] = 15')).toBe('5×1 6×-1; 8×2 9×0');
  const same = run('conv', '--input', '1 2; 3 4', '--kernel', '1', '--padding', 'same').out;
  expect(panel(same, 'output 2×2')).toBe('1 2; 3 4');
});

it('explains max pooling: winners and positions', () => {
  const { out } = run('max-pool', '--input', '1 2 6 3; 3 5 2 1; 1 2 2 1; 7 3 4 8');
  expect(panel(out, 'output 2×2')).toBe('5 6; 7 8');
  expect(panel(out, 'indices')).toBe('5 2; 12 15');
  expect(panel(out, 'out[0,0] = 5 from (1, 1)')).toBe('1 2; 3 [5]');
  expect(panel(out, 'out[1,1] = 8 from (3, 3)')).toBe('2 1; 4 [8]');
});

it('explains unpooling: where each value returns', () => {
  const own = run('max-unpool', '--input', '1 2 6 3; 3 5 2 1; 1 2 2 1; 7 3 4 8').out;
  expect(own).toContain('5 returns to (1, 1), index 5\n');
  expect(panel(own, 'output 4×4')).toBe('· · 6 ·; · 5 · ·; · · · ·; 7 · · 8');
  const given = run(
    'max-unpool',
    '--input',
    '6 8; 7 9',
    '--indices',
    '2 7; 2 15',
    '--output-size',
    '4x4',
  ).out;
  expect(given).toContain('6 returns to (0, 2), index 2, and is written over by a later one\n');
  expect(panel(given, 'output 4×4')).toBe('· · 7 ·; · · · 8; · · · ·; · · · 9');
});

it('explains average pooling', () => {
  const { out } = run('avg-pool', '--input', '1 2 6 3; 3 5 2 1');
  expect(panel(out, 'output 1×2')).toBe('2.75 3');
  expect(panel(out, 'out[0,0] = 2.75')).toBe('1×0.25 2×0.25; 3×0.25 5×0.25');
});

it('explains interpolation: taps and weights', () => {
  const { out } = run('interpolate', '--input', '0 1; 2 3', '--size', '4x4');
  expect(out).toContain('out row 1 = 0.75·in 0 + 0.25·in 1\n');
  expect(panel(out, 'output 4×4')).toBe('0 0.25 0.75 1; 0.5 0.75 1.25 1.5; 1.5 1.75 2.25 2.5; 2 2.25 2.75 3');
  const corners = run('interpolate', '--input', '0 1; 2 3', '--size', '3x3', '--align-corners').out;
  expect(panel(corners, 'output 3×3')).toBe('0 0.5 1; 1 1.5 2; 2 2.5 3');
  const cubic = run('interpolate', '--input', '0 1 0 0', '--size', '1x8', '--mode', 'bicubic').out;
  expect(cubic).toContain('out column 3 = -0.105469·in 0 + 0.878906·in 1 + 0.261719·in 2 - 0.035156·in 3\n');
  const factor = run('interpolate', '--scale', '1.5', '--mode', 'nearest').out;
  expect(panel(factor, 'output 3×3')).toBe('0 0 1; 0 0 1; 2 2 3');
});

it('explains pixel shuffle', () => {
  const { out } = run('pixel-shuffle');
  expect(panel(out, 'output 4×4')).toBe('1 11 2 12; 21 31 22 32; 3 13 4 14; 23 33 24 34');
});

it.each<[string[], RegExp, number]>([
  [['deconv'], /unknown operator "deconv"/, 2],
  [['conv', 'pool'], /one operator at a time/, 2],
  [['--stride', '2'], /options need an operator/, 2],
  [['max-pool', '--kernel', '1'], /--kernel is not for max-pool, which takes --input/, 2],
  [['conv', '--input', '1 2; 3'], /--input must be rows of numbers/, 2],
  [['conv', '--input', 'a b'], /--input must be rows of numbers/, 2],
  [['conv', '--input', ''], /--input must be rows of numbers/, 2],
  [['conv', '--input', new Array(17).fill('1').join(' ')], /--input must be at most 16×16/, 2],
  [['conv', '--stride', '0'], /stride must be/, 2],
  [['conv', '--stride', 'two'], /--stride must be an integer/, 2],
  [['max-unpool', '--input', '1 2', '--indices', '1 2 3'], /--indices must be of the extents/, 2],
  [['max-unpool', '--input', '1', '--indices', '9', '--output-size', '2x2'], /9/, 1],
  [['pixel-shuffle', '--input', '1 2; 3 4; 5 6'], /--input must be a multiple of 4 rows/, 2],
  [['interpolate', '--mode', 'lanczos'], /mode must be one of/, 2],
])('refuses %j', (words, message, code) => {
  const r = run(...words);
  expect(r.err).toMatch(/^upsampling: [^\n]+\n$/);
  expect(r.err).toMatch(message);
  expect(r.code).toBe(code);
  expect(r.out).toBe('');
});
