/** Tables and charts of a run, as text. */

const time = (ms) =>
  ms === undefined ? '–' : ms < 0.01 ? `${(ms * 1000).toFixed(2)} µs` : `${Number(ms.toPrecision(3))} ms`;
const memory = (bytes) => (bytes === undefined || bytes === null ? '–' : `${(bytes / 1e6).toFixed(1)} MB`);
const ratio = (a, b) =>
  a === undefined || b === undefined ? '–' : `${(a / b).toFixed(a / b < 10 ? 2 : 0)}×`;

/** The speed in the unit that limits it. */
function rate(row) {
  if (row.ours === undefined) return '–';
  const { bytes, flops } = row.cost;
  return flops > 0 && row.bound?.by === 'fma'
    ? `${(flops / row.ours.ms / 1e6).toFixed(0)} GFLOP/s`
    : `${((bytes.read + bytes.write) / row.ours.ms / 1e6).toFixed(0)} GB/s`;
}

/** The run as a Markdown table, worst ratio included. */
export function markdown(doc) {
  const engines = Object.entries(doc.versions).map(([name, v]) =>
    v.absent === undefined
      ? `${name} ${v.version}${v.note ? ` (${v.note})` : ''}`
      : `${name}: absent (${v.absent})`,
  );
  const lines = [
    `${doc.date}, ${doc.cpu}, Node ${doc.node}${doc.isa ? `, instruction set ${doc.isa}` : ''}. Median times; blocking calls writing into a reused result, beside them into fresh memory; weights prepared where the engine can; memory: what the process grows by in its first call, without the result (packed weights included); machine bound: the larger of the least bytes over the bandwidth of the cache or memory that holds them and the direct algorithm’s operations over the FMA peak, both measured in the same run. Engines: ${engines.join('; ')}. Rerun with \`npm run bench\`; \`node bench/scaling.mjs\` shows how time grows with the planes, \`node bench/types.mjs\` what an element type and a layout cost, \`node bench/overhead.mjs\` what a call does.`,
    '',
  ];
  for (const threads of [...new Set(doc.rows.map((r) => r.threads))]) {
    const rows = doc.rows.filter((r) => r.threads === threads);
    lines.push(
      `${threads} thread${threads === 1 ? '' : 's'}:`,
      '',
      '| | workload | ours | spread | fresh | rate | memory | best peer, same layout | peer ÷ ours | any layout ÷ ours | ours ÷ machine bound |',
      '| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: |',
      ...rows.map((r) => {
        const spread =
          r.ours === undefined
            ? '–'
            : `±${(((r.ours.most - r.ours.least) / 2 / r.ours.ms) * 100).toFixed(0)} %`;
        const peer = r.peer === undefined ? '–' : `${r.peer.engine} ${time(r.peer.ms)}`;
        const correct = r.ours?.correct === false ? ' **wrong result**' : '';
        return `| ${r.id} | ${r.title} | ${time(r.ours?.ms)}${correct} | ${spread} | ${time(r.fresh?.ms)} | ${rate(r)} | ${memory(r.beyond)} | ${peer} | ${ratio(r.peer?.ms, r.ours?.ms)} | ${ratio(r.anyLayout?.ms, r.ours?.ms)} | ${ratio(r.ours?.ms, r.bound?.ms)} |`;
      }),
      '',
    );
    const lost = rows
      .filter((r) => r.peer !== undefined && r.ours !== undefined && r.peer.ms < r.ours.ms)
      .map((r) => r.id);
    lines.push(
      lost.length === 0
        ? 'No workload of this run was slower than a peer in the same layout.'
        : `Slower than a peer in the same layout: ${lost.join(', ')}.`,
      '',
    );
    const wrong = rows.flatMap((r) =>
      r.wrong.map(
        (v) => `${r.id} ${v.engine} ${v.variant} (off by ${v.worst?.toPrecision(2) ?? 'an unknown amount'})`,
      ),
    );
    if (wrong.length > 0) lines.push(`Not compared, because the result is wrong: ${wrong.join('; ')}.`, '');
  }
  return lines.join('\n');
}

const xml = (s) => s.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** How many times longer the fastest peer takes, one bar per workload, on a logarithmic axis. */
export function barChart(rows) {
  const shown = rows.filter((r) => r.ours !== undefined && r.peer !== undefined);
  const [left, right, step, top] = [300, 560, 22, 44];
  const most = Math.max(10, ...shown.map((r) => r.peer.ms / r.ours.ms));
  const low = Math.min(1, ...shown.map((r) => r.peer.ms / r.ours.ms)) * 0.9;
  const x = (v) => left + ((Math.log(v) - Math.log(low)) / (Math.log(most) - Math.log(low))) * (right - left);
  const height = top + shown.length * step + 12;
  const ticks = [0.5, 1, 2, 5, 10, 20, 50, 100].filter((t) => t >= low && t <= most);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="700" height="${height}" viewBox="0 0 700 ${height}" font-family="system-ui, sans-serif" font-size="12">
<rect width="700" height="${height}" fill="#ffffff"/>
<text x="8" y="18" font-size="14" fill="#222222">Time of the fastest peer over ours, ${shown[0]?.threads ?? 0} threads (right of 1: we are faster)</text>
${ticks.map((t) => `<line x1="${x(t).toFixed(1)}" x2="${x(t).toFixed(1)}" y1="${top - 8}" y2="${height - 8}" stroke="${t === 1 ? '#222222' : '#dddddd'}"/><text x="${x(t).toFixed(1)}" y="${top - 12}" text-anchor="middle" fill="#555555">${t}×</text>`).join('\n')}
${shown
  .map((r, i) => {
    const v = r.peer.ms / r.ours.ms;
    const y = top + i * step;
    const [from, to] = v >= 1 ? [x(1), x(v)] : [x(v), x(1)];
    return `<text x="8" y="${y + 14}" fill="#222222">${r.id}  ${xml(r.title)}</text><rect x="${from.toFixed(1)}" y="${y + 3}" width="${Math.max(1, to - from).toFixed(1)}" height="14" fill="${v >= 1 ? '#2a7f62' : '#b5442e'}"/><text x="${(to + 5).toFixed(1)}" y="${y + 14}" fill="#222222">${v.toFixed(1)}× ${r.peer.engine}</text>`;
  })
  .join('\n')}
</svg>
`;
}

/** Two runs side by side, one line per workload that both have. */
export function comparison(before, after) {
  const key = (r) => `${r.id} ${r.threads}`;
  const old = new Map(before.rows.map((r) => [key(r), r]));
  const against = (row) => (row.peer === undefined ? '–' : (row.peer.ms / row.ours.ms).toFixed(2));
  const lines = ['workload  threads  before ms  after ms  after/before  against the peer before → after'];
  for (const r of after.rows) {
    const b = old.get(key(r));
    if (b?.ours === undefined || r.ours === undefined) continue;
    lines.push(
      [
        r.id.padEnd(9),
        String(r.threads).padStart(7),
        b.ours.ms.toPrecision(3).padStart(10),
        r.ours.ms.toPrecision(3).padStart(9),
        (r.ours.ms / b.ours.ms).toFixed(2).padStart(13),
        `  ${against(b)} → ${against(r)}`,
      ].join(' '),
    );
  }
  return lines.join('\n');
}

/** Text with the part between <!-- name:begin --> and <!-- name:end --> replaced. */
export function replaceBlock(text, name, inside) {
  const pattern = new RegExp(`(<!-- ${name}:begin -->)[\\s\\S]*?(<!-- ${name}:end -->)`);
  if (!pattern.test(text)) throw new Error(`no <!-- ${name}:begin --> … <!-- ${name}:end --> block`);
  return text.replace(pattern, (_, a, b) => `${a}\n${inside}\n${b}`);
}
