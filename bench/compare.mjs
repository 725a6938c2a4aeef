/** Two runs side by side: node bench/compare.mjs before.json after.json */
import { readFileSync } from 'node:fs';

const [before, after] = process.argv.slice(2, 4).map((f) => JSON.parse(readFileSync(f, 'utf8')));
if (after === undefined) {
  console.error(
    'usage: node bench/compare.mjs before.json after.json (files written by npm run bench -- --json FILE)',
  );
  process.exit(2);
}
const key = (r) => `${r.id} ${r.threads}`;
const old = new Map(before.rows.map((r) => [key(r), r]));
console.log('workload  threads  before ms  after ms  after/before  against the peer before → after');
for (const r of after.rows) {
  const b = old.get(key(r));
  if (b?.ours === undefined || r.ours === undefined) continue;
  const against = (row) => (row.peer === undefined ? '–' : (row.peer.ms / row.ours.ms).toFixed(2));
  console.log(
    r.id.padEnd(9),
    String(r.threads).padStart(7),
    b.ours.ms.toPrecision(3).padStart(10),
    r.ours.ms.toPrecision(3).padStart(9),
    (r.ours.ms / b.ours.ms).toFixed(2).padStart(13),
    `  ${against(b)} → ${against(r)}`,
  );
}
