#!/usr/bin/env node
/**
 * A segmentation server: logits in, class map out, many at once, and the event loop stays free.
 *
 *   node bench/examples/server.mjs [PORT]
 *   POST /segment?in=150x128x128&out=1080x1920   float32 logits (C, H, W) → one byte per pixel
 *   GET  /stats                                  served, cancelled, and the delay of the event loop since the last call, in ms
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ArgumentError, interpolateArgmax, tensorPool } from '../../dist/index.js'; // yours: from 'upsampling'

const pool = tensorPool({ maxBytes: 512 * 2 ** 20 });
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let served = 0;
let cancelled = 0;

/** The body of a request, in memory of the pool. */
async function readLogits(request, dims) {
  const logits = pool.allocate('float32', dims);
  const bytes = new Uint8Array(logits.data.buffer, logits.data.byteOffset, logits.data.byteLength);
  let length = 0;
  try {
    for await (const chunk of request) {
      if (length + chunk.length > bytes.length) throw new RangeError('the body is longer than its dims say');
      bytes.set(chunk, length);
      length += chunk.length;
    }
    if (length < bytes.length) throw new RangeError('the body is shorter than its dims say');
    return logits;
  } catch (error) {
    pool.release(logits);
    throw error;
  }
}

async function segment(url, request, response) {
  const extents = (name) => (url.searchParams.get(name) ?? '').split('x').map(Number);
  const gone = new AbortController();
  const closed = once(response, 'close').then(() => gone.abort());
  const lent = [];
  try {
    const logits = await readLogits(request, [1, ...extents('in')]);
    lent.push(logits);
    const size = extents('out');
    const map = pool.allocate('uint8', [1, ...size]);
    lent.push(map);
    // Computed on other threads; when the client goes away, what is not yet begun is not computed.
    await interpolateArgmax(logits, { size, mode: 'bilinear', out: map, signal: gone.signal });
    served++;
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(map.data);
  } catch (error) {
    if (response.closed || response.destroyed) cancelled++;
    else {
      const wrong = error instanceof ArgumentError || error instanceof RangeError;
      response.writeHead(wrong ? 400 : 500).end(`${error.message}\n`);
    }
  }
  // The memory is lent again only when the socket has taken all of it.
  await closed;
  for (const tensor of lent) pool.release(tensor);
}

function stats(response) {
  const ms = (ns) => Math.round(ns / 1e4) / 100;
  const { count } = delay;
  const answer = { served, cancelled, count, p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)) };
  delay.reset();
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (request.method === 'POST' && url.pathname === '/segment') segment(url, request, response);
  else if (url.pathname === '/stats') stats(response);
  else response.writeHead(404).end();
});
server.listen(Number(process.argv[2] ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
process.on('SIGTERM', () => server.close(() => process.exit()).closeAllConnections());
