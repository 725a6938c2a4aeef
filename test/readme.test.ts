/** README.md is true: every snippet runs, prints what its comments say, and every public function is listed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { writeNpy } from '../src/files/npy.js';
import * as api from '../src/index.js';
import { temporaryFolder, upsampling } from './support/cli.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const text = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((m) => ({
  language: m[1]!,
  code: m[2]!,
}));
const of = (language: string) => blocks.filter((b) => b.language === language).map((b) => b.code);
const title = (code: string) => code.split('\n').find((l) => l !== '')!;

describe('JavaScript', () => {
  it.each(of('js').map((code, i) => [`${i + 1}: ${title(code)}`, code] as const))('%s', (_, code) => {
    // Runs as a module of the package's own folder, where its name leads to itself.
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
      cwd: root,
      encoding: 'utf8',
    });
    const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((m) => m[1]);
    expect(out.split('\n').slice(0, -1)).toEqual(promised);
  });
});

describe('shell', () => {
  const dir = temporaryFolder();
  const shim = join(dir, 'upsampling');
  writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'dist/cli/main.js')}" "$@"\n`);
  chmodSync(shim, 0o755);
  copyFileSync(join(root, 'bench/demo/chelsea.png'), join(dir, 'photo.png'));
  copyFileSync(join(root, 'bench/demo/chelsea.png'), join(dir, 'enlarged.png'));
  copyFileSync(join(root, 'bench/unet/weights/transposed.safetensors'), join(dir, 'decoder.safetensors'));
  const logits = Float32Array.from({ length: 4 * 75 * 113 }, (_, i) => Math.sin(i * i));
  writeFileSync(join(dir, 'logits.npy'), Buffer.concat(writeNpy({ data: logits, dims: [4, 75, 113] })));
  const lines = of('sh').flatMap((code) => code.trim().split('\n'));

  it.each(lines)('%s', (line) => {
    const r = spawnSync('sh', ['-c', line], {
      cwd: dir,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${dir}${delimiter}${process.env.PATH}` },
    });
    expect(r.stderr).toBe('');
    expect(r.status).toBe(0);
  });
});

it('shows what explain prints', () => {
  const shown = blocks.find((b) => b.code.startsWith('one panel per input element'))!;
  expect(upsampling(['explain', 'conv-transpose']).out).toContain(shown.code);
});

it('names only programs that exist', () => {
  const programs = [...text.matchAll(/node (bench\/[\w/-]+\.mjs)/g)].map((m) => m[1]!);
  expect(programs).toEqual(
    expect.arrayContaining(readdirSync(join(root, 'bench/examples')).map((f) => `bench/examples/${f}`)),
  );
  for (const program of programs) expect(existsSync(join(root, program)), program).toBe(true);
});

it('names only commands and scripts that exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const [, name] of text.matchAll(/npm run ([a-z:]+)/g)) expect(Object.keys(scripts)).toContain(name);
  const commands = upsampling(['--help']).out;
  for (const [, name] of text.matchAll(/^upsampling ([a-z]+)/gm)) expect(commands).toContain(`  ${name} `);
});

it('lists every public function', () => {
  const functions = Object.entries(api).flatMap(([name, value]) =>
    typeof value === 'function' && !/Error$/.test(name) ? [name] : [],
  );
  for (const name of functions) {
    const listed = name.replace(/Sync$/, '').replace(/[13]d/, '2d');
    expect(text, name).toMatch(new RegExp(`\`${listed}[\`(]`));
  }
});
