/**
 * The demonstration: a photograph taken apart and put together by every technique, a segmentation, the textbook.
 * Writes out/index.html (self-contained) and the pictures beside it; `--out FOLDER` writes elsewhere, `--readme` also renews
 * readme.jpg.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'out') },
    readme: { type: 'boolean', default: false },
  },
});
const out = options.out;

if (!existsSync(`${root}build/Release/upsampling.node`)) {
  const built = spawnSync('npm', ['run', 'build:addon'], { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) process.exit(1);
}

const { runtime } = await import('../../dist/index.js');
const { page } = await import('./page.mjs');
const { strip, toPng } = await import('./pictures.mjs');
const SECTIONS = ['photograph', 'segmentation', 'network', 'textbook'];

const sections = [];
for (const name of SECTIONS) {
  process.stdout.write(`${name} …\n`);
  const { section } = await import(`./${name}.mjs`);
  sections.push(await section());
}

await mkdir(out, { recursive: true });
for (const section of sections)
  for (const figure of section.figures ?? []) {
    figure.png = await toPng(figure.image);
    await writeFile(join(out, `${figure.file}.png`), figure.png);
    if (figure.detail !== undefined) figure.detailPng = await toPng(figure.detail);
    const words = [
      figure.title.padEnd(44),
      figure.ms === undefined ? '' : `${figure.ms.toFixed(2).padStart(8)} ms`,
    ];
    if (figure.psnr !== undefined)
      words.push(figure.psnr === Infinity ? '   exact' : `${figure.psnr.toFixed(2).padStart(8)} dB`);
    process.stdout.write(`  ${words.join('  ')}\n`);
  }
await writeFile(join(out, 'index.html'), page(sections, runtime));
if (options.readme)
  await writeFile(new URL('readme.jpg', import.meta.url), await strip(sections[0].figures, 4));

const sheet = join(out, 'index.html');
process.stdout.write(
  `\nLook at ${relative(process.cwd(), sheet)} (${sheet}); the pictures stand beside it.\n`,
);
