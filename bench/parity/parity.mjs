#!/usr/bin/env node
// Prints, per operator and mode, how many cases were compared with which source and how far apart the answers are.
// --readme writes the table between the markers of README.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const known = ['--readme', '--help'];
const flags = process.argv.slice(2);
const unknown = flags.find((f) => !known.includes(f));
if (unknown !== undefined || flags.includes('--help')) {
  const usage = 'usage: npm run parity [-- --readme]   --readme writes the table into README.md';
  if (unknown === undefined) console.log(usage);
  else console.error(`parity: unknown option ${unknown}; ${usage}`);
  process.exit(unknown === undefined ? 0 : 2);
}

const folder = mkdtempSync(join(tmpdir(), 'parity-'));
const target = join(folder, 'table.json');
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status, stdout, stderr } = spawnSync(
  process.execPath,
  [vitest, 'run', '--config', '.ci/vitest.config.ts', 'test/parity-table', '-t', 'is computed'],
  { cwd: root, env: { ...process.env, UPSAMPLING_PARITY_TABLE: target }, encoding: 'utf8' },
);
if (status !== 0) {
  console.error(stdout + stderr);
  process.exit(1);
}
const { rows, sources, versions, differences } = JSON.parse(readFileSync(target, 'utf8'));
rmSync(folder, { recursive: true });

const agreement = (ulp) => (ulp === undefined ? 'agree' : ulp === 0 ? 'equal' : `${ulp} ulp`);
const cell = (c) => (c === undefined ? '' : `${c.cases} · ${agreement(c.ulp)}`);
const lines = [
  `| operator | mode | ${sources.join(' | ')} |`,
  `| --- | --- |${' --- |'.repeat(sources.length)}`,
  ...rows.map(
    (r) => `| \`${r.operator}\` | ${r.mode} | ${sources.map((s) => cell(r.cells[s])).join(' | ')} |`,
  ),
];
const total = (s) => rows.reduce((n, r) => n + (r.cells[s]?.cases ?? 0), 0);
const text = [
  'Cases compared and the largest error in units in the last place of the result’s type (values below half of the',
  'largest of an output are measured in its units; `equal` means the same bits). Fused operators `agree`: every class, level',
  'and probability is the one that follows from what `interpolate` gives. `npm run parity` makes this table.',
  '',
  ...sources.map((s) => `- **${s}**: ${total(s)} cases; ${versions[s]}.`),
  '',
  ...lines,
  '',
  'Where we differ on purpose:',
  '',
  ...differences.map((d) => `- \`${d.operator}\`, from ${d.from}: ${d.what}. Why: ${d.why}.`),
].join('\n');
console.log(text);

if (flags.includes('--readme')) {
  const path = join(root, 'README.md');
  const readme = readFileSync(path, 'utf8');
  const marked = /<!-- parity:begin -->[\s\S]*?<!-- parity:end -->/;
  if (!marked.test(readme)) {
    console.error('parity: README.md has no markers <!-- parity:begin --> and <!-- parity:end -->');
    process.exit(1);
  }
  const block = `<!-- parity:begin -->\n${text}\n<!-- parity:end -->`;
  writeFileSync(
    path,
    readme.replace(marked, () => block),
  );
}
