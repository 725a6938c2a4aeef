/** Makes the parity table for bench/parity/parity.mjs (`npm run parity`), and holds the README's copy to its form. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DIFFERENCES } from '../support/differences.js';
import { GOLDEN_FILES, goldenFile } from '../support/golden.js';
import { parityTable, SOURCE_VERSIONS, SOURCES } from '../support/parity-table.js';

/** Where bench/parity/parity.mjs wants the table; without it, it is computed and dropped. */
const target = process.env.UPSAMPLING_PARITY_TABLE;

describe('the parity table', () => {
  it('is computed', { timeout: 600_000 }, () => {
    const rows = parityTable();
    const table = { rows, sources: SOURCES, versions: SOURCE_VERSIONS, differences: DIFFERENCES };
    if (target !== undefined) writeFileSync(target, JSON.stringify(table));
    expect(rows.length).toBeGreaterThan(0);
  });

  it('of the README is generated, and names every operator of the golden vectors', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const part = /<!-- parity:begin -->\n([\s\S]*?)<!-- parity:end -->/.exec(readme);
    expect(
      part,
      'README.md has the markers parity:begin and parity:end; run: npm run parity -- --readme',
    ).not.toBeNull();
    const lines = part![1]!.split('\n').filter((l) => l.startsWith('|'));
    expect(lines[0]).toBe(`| operator | mode | ${SOURCES.join(' | ')} |`);
    const named = new Set(lines.slice(2).map((l) => l.split('|')[1]!.trim().replaceAll('`', '')));
    for (const file of GOLDEN_FILES)
      for (const { op } of goldenFile(file).cases)
        expect(named, 'run: npm run parity -- --readme').toContain(op);
    for (const d of DIFFERENCES) expect(part![1]).toContain(d.what);
    for (const l of lines.slice(2))
      expect(l).toMatch(/^\| `[\w.]+` \| [\w, -]* \|( (\d+ · (equal|agree|\d+ ulp)|) \|){4}$/);
  });
});
