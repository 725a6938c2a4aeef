/** Two runs side by side: node bench/compare.mjs before.json after.json */
import { readFileSync } from 'node:fs';
import { comparison } from './lib/report.mjs';

const [before, after] = process.argv.slice(2, 4).map((f) => JSON.parse(readFileSync(f, 'utf8')));
if (after === undefined) {
  console.error(
    'usage: node bench/compare.mjs before.json after.json (files written by npm run bench -- --json FILE)',
  );
  process.exit(2);
}
console.log(comparison(before, after));
