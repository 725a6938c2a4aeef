/** The command line itself: help, versions, exit codes, errors in one line. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { upsampling } from '../support/cli.js';

const version = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
const commands = [...upsampling(['--help']).out.matchAll(/^ {2}([a-z]+) {2,}/gm)].map((m) => m[1]!);

it('lists its commands', () => {
  expect(commands).toEqual(expect.arrayContaining(['resize', 'explain', 'doctor']));
});

it.each(commands)('%s --help shows usage and examples and needs no addon', (name) => {
  for (const words of [
    [name, '--help'],
    [name, '-h'],
    ['help', name],
  ]) {
    const r = upsampling(words, { node: ['--no-addons'] });
    expect(r.code).toBe(0);
    expect(r.err).toBe('');
    expect(r.out).toMatch(new RegExp(`^Usage: upsampling ${name} `));
    expect(r.out).toContain('\nExamples:\n');
    expect(Math.max(...r.out.split('\n').map((l) => l.length))).toBeLessThanOrEqual(125);
  }
});

it('says its version', () => {
  expect(upsampling(['--version'])).toMatchObject({ code: 0, out: `${version}\n`, err: '' });
});

it.each<[string[], RegExp]>([
  [[], /a command is missing/],
  [['resise'], /unknown command "resise", did you mean resize\?/],
  [['toString'], /unknown command "toString", known commands are/],
  [['--versoin'], /unknown command/],
  ...commands.map((c): [string[], RegExp] => [[c, '--bogus'], new RegExp(`${c}: unknown option "--bogus"`)]),
])('%j is wrong usage: code 2 and one line', (words, message) => {
  const r = upsampling(words);
  expect(r.code).toBe(2);
  expect(r.out).toBe('');
  expect(r.err).toMatch(/^upsampling: [^\n]+\n$/);
  expect(r.err).toMatch(message);
});

it('fails with code 1 and one line when there is no addon', () => {
  const r = upsampling(['doctor'], { node: ['--no-addons'] });
  expect(r.code).toBe(1);
  expect(r.out).toContain('addons are disabled');
});
