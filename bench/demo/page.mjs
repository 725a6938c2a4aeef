/** The contact sheet: one HTML file with everything in it. */

const escaped = (s) =>
  s.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

const STYLE = `
:root { color-scheme: light dark; --back: #fbfaf8; --front: #1d1d1f; --quiet: #5c5c63; --card: #fff; --line: #dddbd5; }
@media (prefers-color-scheme: dark) { :root { --back: #151517; --front: #ececee; --quiet: #a5a5ad; --card: #1f1f23; --line: #35353b; } }
body { margin: 0 auto; max-width: 1480px; padding: 2rem 1.5rem 4rem; background: var(--back); color: var(--front); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem } h2 { font-size: 1.25rem; margin: 2.6rem 0 .4rem }
p { max-width: 75ch; margin: .3rem 0 1rem } .quiet, figcaption p { color: var(--quiet) }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 1.2rem }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow: hidden }
figure img { display: block; width: 100%; height: auto; image-rendering: pixelated } figure img.detail { border-top: 1px solid var(--line) }
figcaption { padding: .7rem .9rem .9rem; font-size: .9rem } figcaption p { margin: .2rem 0 0 }
.facts { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-variant-numeric: tabular-nums }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; overflow-x: auto; font: 13px/1.45 ui-monospace, monospace }
`;

function figureOf(f) {
  const url = (png) => `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
  const facts = [`${f.image.dims[0]}×${f.image.dims[1]}`];
  if (f.psnr !== undefined) facts.push(f.psnr === Infinity ? 'exact' : `PSNR ${f.psnr.toFixed(2)} dB`);
  if (f.ms !== undefined) facts.push(`${f.ms.toFixed(2)} ms`);
  const detail =
    f.detailPng === undefined ? '' : `<img class="detail" alt="detail" src="${url(f.detailPng)}">`;
  return `<figure><img alt="${escaped(f.title)}" src="${url(f.png)}">${detail}
<figcaption><strong>${escaped(f.title)}</strong>
<div class="facts">${facts.map((s) => `<span>${s}</span>`).join('')}</div><p>${escaped(f.caption)}</p></figcaption></figure>`;
}

export function page(sections, runtime) {
  const body = sections.map(
    (s) => `<section id="${s.id}"><h2>${escaped(s.title)}</h2><p>${s.text}</p>
${s.figures === undefined ? '' : `<div class="sheet">${s.figures.map(figureOf).join('\n')}</div>`}
${s.pre === undefined ? '' : `<pre>${escaped(s.pre)}</pre>`}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>upsampling: the demonstration</title><style>${STYLE}</style></head><body>
<h1>upsampling: WHERE meets WHAT</h1>
<p class="quiet">Version ${runtime.version}, instruction set ${runtime.isa}, ${runtime.threads} thread${runtime.threads === 1 ? '' : 's'}, Node ${process.version}, ${process.platform}-${process.arch}.</p>
${body.join('\n')}
</body></html>
`;
}
