/** `upsampling analyze` as its users run it; the report in a real browser. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNpz, writeNpz } from '../../src/files/npz.js';
import { writePng } from '../../src/files/png.js';
import { readSafetensors, storeTensor, tensorsOf, writeSafetensors } from '../../src/files/safetensors.js';
import { analyzeCheckerboard, bilinearWeights, icnr, type TensorLike } from '../../src/index.js';
import { ones, randomWeight } from '../analysis/layers.js';
import { temporaryFolder, upsampling } from '../support/cli.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

function save(name: string, tensors: readonly (readonly [string, TensorLike, string?])[]): string {
  writeFileSync(
    at(name),
    Buffer.concat(
      writeSafetensors(
        tensors.map(([n, t, s]) => storeTensor(n, t, s)),
        { format: 'pt' },
      ),
    ),
  );
  return at(name);
}

const bad = randomWeight([8, 8, 4, 4]);
bad.data[3] = NaN;
const decoder = save('decoder.safetensors', [
  ['up1.weight', randomWeight([16, 8, 4, 4], 2)],
  ['up1.bias', randomWeight([8])],
  ['up2.weight', ones(3, 3)],
  ['up3.weight', bilinearWeights({ stride: 2, channels: 4 })],
  ['half.up.weight', randomWeight([6, 4, 4, 4], 5), 'BF16'],
  ['head.weight', randomWeight([4, 16, 4, 4])],
  ['head.bias', randomWeight([4])],
  ['conv.weight', randomWeight([4, 4, 3, 3])],
  ['point.weight', randomWeight([4, 4, 1, 1])],
  ['norm.weight', randomWeight([16])],
  ['steps', { data: BigInt64Array.of(7n), dims: [1] }],
]);

describe('analyze FILE', () => {
  it('finds the expanding layers, lists the others, and ends with 1 above the limit', () => {
    const r = upsampling(['analyze', decoder, '--fail-above', '-40dB']);
    expect(r.err).toBe('');
    expect(r.code).toBe(1);
    expect(r.out).toMatch(/^up1\.weight +16x8x4x4 +2\? +even .* learned +--fix gain: -1\d\d\.\d dB after$/m);
    expect(r.out).toMatch(/^up2\.weight +1x1x3x3 +2\? +4:1 .* -9\.5 dB +structural /m);
    expect(r.out).toMatch(/^up3\.weight .* clean$/m);
    expect(r.out).toContain('4 expanding layers, 3 above -40.0 dB');
    expect(r.out).toMatch(/^skipped {2}head\.weight: a convolution: its bias/m);
    expect(r.out).toMatch(/^skipped {2}conv\.weight: looks like a convolution; --layer names it/m);
    expect(r.out).toMatch(/^skipped {2}point\.weight: a kernel of 1/m);
    expect(r.out).toMatch(/^skipped {2}norm\.weight: 1 dimensions/m);
  });

  it('ends with 0 without a limit, or below it', () => {
    expect(upsampling(['analyze', decoder]).code).toBe(0);
    expect(upsampling(['analyze', decoder, '--layer', 'up3*', '--fail-above', '-40']).code).toBe(0);
    expect(upsampling(['analyze', decoder, '--layer', 'up2*', '--fail-above=-9']).code).toBe(0);
    expect(upsampling(['analyze', decoder, '--layer', 'up2*', '--fail-above=-10']).code).toBe(1);
  });

  it('--json has what the analysis has', () => {
    const r = upsampling([
      'analyze',
      decoder,
      '--json',
      '--layer',
      'up?.weight',
      '--layer',
      'conv',
      '--stride',
      '2',
    ]);
    const j = JSON.parse(r.out) as { layers: Record<string, unknown>[]; skipped: unknown[] };
    expect(j.layers.map((l) => l.name)).toEqual(
      ['up1.weight', 'conv.weight', 'up3.weight', 'up2.weight'].sort(
        (a, b) => j.layers.findIndex((l) => l.name === a) - j.layers.findIndex((l) => l.name === b),
      ),
    );
    const one = j.layers.find((l) => l.name === 'up1.weight') as {
      peak: { db: number };
      strideAssumed: boolean;
    };
    expect(one.peak.db).toBeCloseTo(
      analyzeCheckerboard(randomWeight([16, 8, 4, 4], 2), { stride: 2 }).peak.db,
      6,
    );
    expect(one.strideAssumed).toBe(false);
  });

  it('reports weights that are not finite, per layer', () => {
    const file = save('nan.safetensors', [
      ['up.weight', bad],
      ['up2.weight', ones(4, 4)],
    ]);
    const r = upsampling(['analyze', file, '--fail-above', '-40dB']);
    expect(r.code).toBe(1);
    expect(r.out).toMatch(
      /up\.weight: weight must be finite, got 1 of 1024 elements that are not, the first NaN at 3/,
    );
    expect(r.out).toMatch(/^up2\.weight .* clean$/m);
  });

  it('judges by the mean that is given, for all channels or each', () => {
    const weight = randomWeight([3, 2, 4, 4], 5);
    const file = save('mean.safetensors', [['up.weight', weight]]);
    const seen = (...words: string[]) =>
      JSON.parse(upsampling(['analyze', file, '--stride', '2', '--json', ...words]).out) as {
        layers: { mean: string; peak: { db: number } }[];
        failed: { why: string }[];
      };
    expect(seen().layers[0]!.mean).toBe('worst');
    for (const [word, mean] of [
      ['0.5', [0.5, 0.5, 0.5]],
      ['0.4,0.1,-2', [0.4, 0.1, -2]],
    ] as const) {
      const [layer] = seen('--mean', word).layers;
      expect(layer!.mean).toBe('given');
      expect(layer!.peak.db).toBe(analyzeCheckerboard(weight, { stride: 2, mean }).peak.db);
    }
    expect(seen('--mean', '1,2').failed[0]!.why).toMatch(/mean must be one number per input channel, 3/);
  });

  it('reads pixel shuffles', () => {
    const file = save('shuffle.safetensors', [
      ['a.weight', icnr(randomWeight([4, 4, 3, 3]), { upscaleFactor: 2 })],
      ['b.weight', randomWeight([16, 4, 3, 3])],
      ['c.weight', randomWeight([6, 4, 3, 3])],
    ]);
    const r = upsampling(['analyze', file, '--kind', 'pixel-shuffle', '--stride', '2', '--padding', '1']);
    expect(r.out).toMatch(/^a\.weight .* clean$/m);
    expect(r.out).toMatch(/^b\.weight .* learned/m);
    expect(r.out).toMatch(/^skipped {2}c\.weight: 6 output channels/m);
  });

  it.each(['gain', 'icnr', 'bilinear'])(
    '--fix %s repairs what it can and keeps the rest byte for byte',
    (fix) => {
      const target = at(`fixed-${fix}.safetensors`);
      const r = upsampling(['analyze', decoder, '--fix', fix, '-o', target, '--json']);
      expect(r.err).toBe('');
      const before = readSafetensors(readFileSync(decoder));
      const after = readSafetensors(readFileSync(target));
      expect(after.metadata).toEqual({ format: 'pt' });
      const bytes = (f: typeof before, name: string) =>
        Buffer.from(f.entries.find((e) => e.name === name)!.bytes);
      const j = JSON.parse(r.out) as {
        layers: {
          name: string;
          fixed?: { verdict: string; peak: { db: number } };
          notFixed?: string;
          verdict: string;
        }[];
      };
      const fixed = new Set(j.layers.filter((l) => l.fixed !== undefined).map((l) => l.name));
      for (const e of before.entries) {
        const same = bytes(before, e.name).equals(bytes(after, e.name));
        expect(same, e.name).toBe(!fixed.has(e.name));
      }
      // icnr needs a divisible kernel, bilinear a diagonal.
      expect([...fixed].sort()).toEqual(
        {
          gain: ['half.up.weight', 'up1.weight', 'up2.weight'],
          icnr: ['half.up.weight', 'up1.weight'],
          bilinear: ['up2.weight'],
        }[fix],
      );
      for (const l of j.layers) {
        expect(l.fixed !== undefined || l.notFixed !== undefined || l.verdict === 'clean').toBe(true);
        if (l.fixed === undefined) continue;
        expect(l.fixed.verdict).toBe('clean');
        const w = after.entries.find((e) => e.name === l.name)!;
        expect(analyzeCheckerboard(w.read(), { stride: 2 }).peak.db).toBeCloseTo(l.fixed.peak.db, 6);
      }
      expect(after.entries.find((e) => e.name === 'half.up.weight')!.stored).toBe('BF16');
    },
  );

  it('reads and writes .npz', () => {
    writeFileSync(
      at('d.npz'),
      Buffer.concat(
        writeNpz(
          [
            ['up.weight', randomWeight([4, 4, 4, 4])],
            ['b', { data: Int32Array.of(1), dims: [1] }],
          ],
          { compress: true },
        ),
      ),
    );
    const r = upsampling(['analyze', at('d.npz'), '--fix', 'gain', '-o', at('fixed.npz')]);
    expect(r.out).toMatch(/^fixed {2}up\.weight: .* to -1\d\d/m);
    const back = tensorsOf(readNpz(readFileSync(at('fixed.npz'))));
    expect(analyzeCheckerboard(back.get('up.weight')!, { stride: 2 }).verdict).toBe('clean');
    expect(back.get('b')!.data).toEqual(Int32Array.of(1));
  });

  it.each<[string, () => string[], number, RegExp]>([
    [
      'a mean of words',
      () => ['analyze', '/nowhere', '--mean', 'grey'],
      2,
      /--mean must be numbers that are not all 0/,
    ],
    [
      'a mean of zeros',
      () => ['analyze', '/nowhere', '--mean', '0,0'],
      2,
      /--mean must be numbers that are not all 0/,
    ],
    [
      'a mean without weights',
      () => ['analyze', '--kernel', '3', '--stride', '2', '--mean', '1'],
      2,
      /--mean is not for --kernel/,
    ],
    ['a file that is not there', () => ['analyze', at('none')], 1, /there is no such file/],
    [
      'a truncated file',
      () => {
        writeFileSync(at('cut.safetensors'), readFileSync(decoder).subarray(0, 900));
        return ['analyze', at('cut.safetensors')];
      },
      1,
      /not a readable \.safetensors file: .* at byte \d+/,
    ],
    [
      'a truncated archive',
      () => {
        writeFileSync(at('cut.npz'), Buffer.from('PK\x03\x04 and no more'));
        return ['analyze', at('cut.npz')];
      },
      1,
      /no end of a central directory at byte \d+/,
    ],
    ['stride 0', () => ['analyze', decoder, '--stride', '0'], 2, /stride must be a positive integer/],
    ['a stride of words', () => ['analyze', decoder, '--stride', 'two'], 2, /--stride/],
    ['dilation 0', () => ['analyze', decoder, '--dilation', '0'], 2, /dilation must be/],
    [
      'an unknown remedy',
      () => ['analyze', decoder, '--fix', 'blur', '-o', at('x.safetensors')],
      2,
      /--fix must be one of gain, icnr, bilinear/,
    ],
    [
      'a remedy without a target',
      () => ['analyze', decoder, '--fix', 'gain'],
      2,
      /--fix and --out go together/,
    ],
    [
      'a target of another kind',
      () => ['analyze', decoder, '--fix', 'gain', '-o', at('x.bin')],
      2,
      /must end in \.safetensors or \.npz/,
    ],
    [
      'a level of words',
      () => ['analyze', decoder, '--fail-above', 'loud'],
      2,
      /--fail-above must be a level as in -40dB/,
    ],
    [
      'a glob that nothing is called',
      () => ['analyze', decoder, '--layer', 'nope*'],
      2,
      /no tensor of .* is called nope\*/,
    ],
    ['nothing at all', () => ['analyze'], 2, /a file, --kernel or --image is missing/],
    ['two files', () => ['analyze', decoder, decoder], 2, /give one file/],
    ['an unknown kind', () => ['analyze', decoder, '--kind', 'conv'], 2, /--kind must be one of/],
  ])('refuses %s in one line', (_, words, code, message) => {
    const r = upsampling(words());
    expect(r.err).toMatch(message);
    expect(r.err).toMatch(/^upsampling[^\n]*\n$/);
    expect(r.code).toBe(code);
    expect(existsSync(at('x.safetensors'))).toBe(false);
  });

  it('does not take long for ten megabytes of a hundred layers', () => {
    const file = save(
      'hundred.safetensors',
      Array.from({ length: 100 }, (_, i) => [`up${i}.weight`, randomWeight([40, 40, 4, 4], i)] as const),
    );
    const empty = upsampling(['--version']);
    expect(empty.code).toBe(0);
    const began = performance.now();
    const r = upsampling(['analyze', file]);
    // 0.6 s on a quiet machine; tests share theirs with others.
    expect(performance.now() - began).toBeLessThan(6000);
    expect(r.out).toContain('100 expanding layers, 100 above');
  });
});

describe('analyze --kernel', () => {
  it.each([
    ['3', '2', /structural/, /4 2 2 1, 4:1; with equal weights the line is -9\.5 dB/],
    ['4', '2', /clean \(even overlap/, /4 4 4 4, even/],
    ['3x4', '2x1', /structural/, /8 4, 8:4/],
    ['2', '3', /holes/, /4 2 2|1 1 0/],
  ])('kernel %s stride %s', (kernel, stride, verdict, overlap) => {
    const r = upsampling(['analyze', '--kernel', kernel, '--stride', stride]);
    expect(r.code).toBe(0);
    expect(r.out).toMatch(verdict);
    expect(r.out).toMatch(overlap);
  });
  it('answers in JSON and by exit code', () => {
    const r = upsampling(['analyze', '--kernel', '3', '--stride', '2', '--json', '--fail-above', '-40dB']);
    expect(r.code).toBe(1);
    expect(JSON.parse(r.out)).toMatchObject({ verdict: 'structural', nextKernel: [4, 4] });
  });
  it.each([
    [['--kernel', '3'], /--stride is missing/],
    [['--kernel', '0', '--stride', '2'], /--kernel must be one to three extents/],
    [['--kernel', '3', '--stride', '0'], /stride must be/],
    [['--kernel', '3', '--stride', '2', '--fix', 'gain'], /--fix is not for --kernel/],
  ])('refuses %j', (words, message) => {
    const r = upsampling(['analyze', ...words]);
    expect(r.err).toMatch(message);
    expect(r.code).toBe(2);
  });
});

describe('analyze --image', () => {
  it('sees a pattern in a PNG, and none where there is none', () => {
    const grey = (f: (x: number, y: number) => number) =>
      Uint8Array.from({ length: 96 * 96 }, (_, i) => f(i % 96, Math.floor(i / 96)));
    const noise = randomWeight([96 * 96]).data;
    writeFileSync(
      at('plain.png'),
      writePng({ width: 96, height: 96, data: grey((x, y) => 128 + 20 * noise[y * 96 + x]!) }),
    );
    writeFileSync(
      at('board.png'),
      writePng({
        width: 96,
        height: 96,
        data: grey((x, y) => 128 + 20 * noise[y * 96 + x]! + (x % 8 === 0 ? 12 : 0)),
      }),
    );
    const plain = upsampling([
      'analyze',
      '--image',
      at('plain.png'),
      '--stride',
      '8',
      '--fail-above',
      '-60dB',
    ]);
    expect(plain.err).toBe('');
    expect(plain).toMatchObject({ code: 0 });
    expect(plain.out).toMatch(/clean/);
    const board = upsampling([
      'analyze',
      '--image',
      at('board.png'),
      '--stride',
      '8',
      '--fail-above',
      '-60dB',
    ]);
    expect(board.code).toBe(1);
    expect(board.out).toMatch(/^\(0\/8, [1-7]\/8\) .*\n[\s\S]*checkerboard/m);
    expect(upsampling(['analyze', '--image', at('board.png')]).err).toMatch(/--stride is missing/);
  });
});

describe('the report', () => {
  const html = at('report.html');
  it('is one file without anything from outside', () => {
    expect(upsampling(['analyze', decoder, '--html', html]).code).toBe(0);
    const text = readFileSync(html, 'utf8');
    expect(text).not.toMatch(/<script|<link|@import|url\(|(?:src|href)="(?!data:)/);
    expect(text).toContain('CC-BY 4.0');
  });

  it('draws layers of one and three axes, of all zeros and of very long kernels', () => {
    const file = save('kinds.safetensors', [
      ['up1d.weight', randomWeight([4, 4, 8])],
      ['up3d.weight', randomWeight([2, 2, 4, 4, 4])],
      ['zero.up.weight', { data: new Float32Array(64), dims: [2, 2, 4, 4] }],
      ['up.istft.weight', randomWeight([1, 1, 1024])],
    ]);
    const r = upsampling(['analyze', file, '--html', at('kinds.html')]);
    expect(r).toMatchObject({ code: 0, err: '' });
    const text = readFileSync(at('kinds.html'), 'utf8').replace(/base64,[^"]*/g, '');
    expect(text.match(/<section /g)).toHaveLength(4);
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('says names as text, never as markup', () => {
    const file = save('markup.safetensors', [['up<img src=x onerror=alert(1)>"&.weight', ones(3, 3)]]);
    upsampling(['analyze', file, '--html', at('markup.html')]);
    expect(readFileSync(at('markup.html'), 'utf8')).not.toContain('<img src=x');
  });

  const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) =>
    existsSync(p),
  );
  it.runIf(chromium !== undefined || process.env.CI !== undefined)(
    'shows every figure in a browser, dark and light',
    async () => {
      expect(chromium, 'Debian package chromium, which .ci/run installs').toBeDefined();
      const { chromium: browser } = await import('playwright-core');
      const context = await browser.launchPersistentContext(mkdtempSync(join(folder, 'profile-')), {
        executablePath: chromium!,
        headless: true,
        viewport: { width: 1000, height: 900 },
        args: '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split(
          ' ',
        ),
      });
      try {
        const page = await context.newPage();
        const requests: string[] = [];
        const faults: string[] = [];
        page.on('request', (q) => requests.push(q.url().slice(0, 60)));
        page.on('pageerror', (e) => faults.push(String(e)));
        page.on('console', (m) => m.type() === 'error' && faults.push(m.text()));
        const inks: string[] = [];
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          await page.goto(`file://${html}`);
          inks.push(
            await page.evaluate(
              'getComputedStyle(document.body).color + getComputedStyle(document.body).backgroundColor',
            ),
          );
          expect(await page.locator('#layers tbody tr').count()).toBe(4);
          expect(await page.locator('section[data-layer]').count()).toBe(4);
          for (const section of await page.locator('section[data-layer]').all()) {
            const figures = await section
              .locator('figure')
              .evaluateAll((all: { dataset: { figure?: string } }[]) => all.map((f) => f.dataset.figure));
            expect(figures).toEqual([
              'overlap',
              'phase-gain',
              'spectrum',
              'spectrum',
              'image-rejection',
              'image-rejection',
              'crop-flat-before',
              'crop-flat-after',
              'crop-photograph-before',
              'crop-photograph-after',
            ]);
            for (const svg of await section.locator('svg').all()) {
              const box = await svg.boundingBox();
              expect(box!.width).toBeGreaterThan(100);
              expect(box!.height).toBeGreaterThan(50);
            }
            expect(await section.locator('.dot').count()).toBe(2);
            expect(await section.locator('[data-figure=overlap] rect').count()).toBeGreaterThan(80);
            // Pictures are decoded, and the flat one is flat after the remedy and not before it unless the layer was clean.
            const spread = await section.locator('.crops img').evaluateAll((images: unknown[]) =>
              (images as { naturalWidth: number; naturalHeight: number }[]).map((image) => {
                const g = globalThis as unknown as {
                  document: {
                    createElement: (n: string) => {
                      width: number;
                      height: number;
                      getContext: (n: string) => {
                        drawImage: (...a: unknown[]) => void;
                        getImageData: (...n: number[]) => { data: Uint8ClampedArray };
                      };
                    };
                  };
                };
                const canvas = g.document.createElement('canvas');
                canvas.width = image.naturalWidth;
                canvas.height = image.naturalHeight;
                const context = canvas.getContext('2d');
                context.drawImage(image, 0, 0);
                const red = Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data).filter(
                  (_, i) => i % 4 === 0,
                );
                return [canvas.width, Math.max(...red) - Math.min(...red)];
              }),
            );
            for (const [width] of spread) expect(width).toBe(96);
            const clean = (await section.locator('h2 .clean').count()) === 1;
            if (clean) expect(spread[0]![1]).toBeLessThanOrEqual(1);
            else expect(spread[0]![1]).toBeGreaterThan(5);
            expect(spread[1]![1]).toBeLessThanOrEqual(1);
            expect(spread[3]![1]).toBeGreaterThan(50);
          }
        }
        expect(inks[0]).not.toBe(inks[1]);
        expect(requests.filter((u) => !u.startsWith('file:') && !u.startsWith('data:'))).toEqual([]);
        expect(faults).toEqual([]);
      } finally {
        await context.close();
      }
    },
  );
});

describe('explain checkerboard', () => {
  it('tells the story from our own numbers', () => {
    const r = upsampling(['explain', 'checkerboard']);
    expect(r.code).toBe(0);
    expect(r.out).toContain('sum      1 1 2 1 2 1 2 1 2 1 1');
    expect(r.out).toContain('CC-BY 4.0');
    expect(r.out).toMatch(/k5 s3 bilinear +overlap 2:2:1 +gain 1 : 1 : 1 +line nothing +clean/);
    expect(Math.max(...r.out.split('\n').map((l) => l.length))).toBeLessThanOrEqual(125);
  });
  it('takes kernel and stride', () => {
    const r = upsampling(['explain', 'checkerboard', '--kernel-size', '4', '--stride', '2']);
    expect(r.out).toContain('2 2, even');
    expect(upsampling(['explain', 'checkerboard', '--stride', '9']).code).toBe(2);
    expect(upsampling(['explain', 'checkerboard', '--mode', 'area']).err).toMatch(
      /--mode is not for checkerboard/,
    );
  });
});
