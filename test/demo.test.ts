/** The demonstration runs, and its sheet holds everything itself. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from './support/cli.js';

const out = temporaryFolder();

it('writes a self-contained sheet, every picture, and says where', () => {
  const demo = fileURLToPath(new URL('../bench/demo/demo.mjs', import.meta.url));
  const said = execFileSync(process.execPath, [demo, '--out', out], { encoding: 'utf8' });
  expect(said.trimEnd().split('\n').at(-1)).toContain(join(out, 'index.html'));
  const page = readFileSync(join(out, 'index.html'), 'utf8');
  const pictures = readdirSync(out).filter((f) => f.endsWith('.png'));
  expect(pictures.length).toBeGreaterThanOrEqual(14);
  expect(page.match(/<figure>/g)).toHaveLength(pictures.length);
  expect(page).not.toMatch(/(?:src|href)="(?!data:)/);
  expect(page).toContain('which is NOT the input');
  expect(page).toContain('prefers-color-scheme: dark');
  // What must come out whatever the machine: shuffles lose nothing, the checkerboard costs more than blurring.
  const psnr = (title: string) =>
    Number(new RegExp(`${title}</strong>[\\s\\S]*?PSNR ([0-9.]+)`).exec(page)?.[1]);
  expect(page).toMatch(/pixelShuffle<\/strong>[\s\S]{0,80}exact/);
  expect(psnr('convTranspose2d, lopsided kernel')).toBeLessThan(
    psnr('convTranspose2d, bilinear weights') - 5,
  );
  expect(psnr('interpolate, bilinear')).toBeGreaterThan(psnr('interpolate, nearest'));
});
