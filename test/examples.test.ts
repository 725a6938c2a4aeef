/** The programs of bench/examples do what they say, each in a process of its own. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { interpolateArgmaxSync, interpolateSync } from '../src/index.js';
import { repository } from './support/child.js';
import { temporaryFolder } from './support/cli.js';
import { makeTensor } from './support/tensors.js';

const example = (name: string) => join(repository, 'bench/examples', name);
const run = (name: string, ...args: string[]) => {
  const r = spawnSync(process.execPath, [example(name), ...args], { encoding: 'utf8' });
  expect(r.stderr).toBe('');
  expect(r.status).toBe(0);
  return r.stdout.trim();
};

describe('server', () => {
  const dims = [1, 150, 64, 64];
  const size = [1080, 1920];
  const { data } = makeTensor({ type: 'float32', dims, seed: 1 });
  const logits = { data: data.slice() as Float32Array<ArrayBuffer>, dims };
  const server = spawn(process.execPath, [example('server.mjs'), '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let address: string;
  beforeAll(async () => {
    [address] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
  });
  afterAll(async () => {
    server.kill('SIGTERM');
    await once(server, 'exit');
  });

  const ask = (query = `in=150x64x64&out=${size.join('x')}`, signal?: AbortSignal) =>
    fetch(`${address}/segment?${query}`, { method: 'POST', body: logits.data, ...(signal && { signal }) });
  const stats = async () =>
    (await (await fetch(`${address}/stats`)).json()) as Record<
      'served' | 'cancelled' | 'count' | 'p50' | 'p99',
      number
    >;

  it('answers with the class map', async () => {
    const map = Buffer.from(await (await ask()).arrayBuffer());
    expect(map.equals(interpolateArgmaxSync(logits, { size, mode: 'bilinear' }).data as Uint8Array)).toBe(
      true,
    );
  });

  it('refuses what does not fit, and lives on', async () => {
    for (const [query, message] of [
      ['in=150x64x65&out=4x4', /shorter than its dims say/],
      ['in=150x64x63&out=4x4', /longer than its dims say/],
      ['in=150x64x64&out=4xfour', /dims must be an array of extents/],
      ['in=150x64x64&out=0x0', /size must be/],
    ] as const) {
      const response = await ask(query);
      expect(response.status).toBe(400);
      expect(await response.text()).toMatch(message);
    }
  });

  it('keeps its event loop free under load', { retry: 3 }, async () => {
    const large = [2160, 3840];
    // How long one request would hold the loop if it were computed on it, on this machine as busy as it is now.
    const began = performance.now();
    interpolateArgmaxSync(logits, { size: large, mode: 'bilinear', threads: 1 });
    const blocking = performance.now() - began;
    const { served: before } = await stats();
    const worker = async () => {
      for (let i = 0; i < 6; i++) {
        const map = await (await ask(`in=150x64x64&out=${large.join('x')}`)).arrayBuffer();
        expect(map.byteLength).toBe(2160 * 3840);
      }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
    const { p50, p99, count, served } = await stats();
    expect(served - before).toBe(24);
    expect(count).toBeGreaterThan(20);
    expect(p50).toBeLessThan(blocking / 4);
    expect(p99).toBeLessThan(blocking);
  });

  it('drops the work of a client that went away', async () => {
    const { cancelled: before } = await stats();
    let after = before;
    for (let wait = 5; after === before && wait < 400; wait += 5) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), wait);
      const answer = ask(`in=150x64x64&out=4000x4000`, controller.signal).then((r) => r.arrayBuffer());
      await expect(answer).rejects.toThrow();
      await new Promise((f) => setTimeout(f, 20));
      after = (await stats()).cancelled;
    }
    expect(after).toBeGreaterThan(before);
  });
});

describe('batch', () => {
  it('makes every thumbnail and opens a few at a time', async () => {
    const folder = temporaryFolder();
    const [pictures, out] = [join(folder, 'pictures'), join(folder, 'out')];
    mkdirSync(pictures);
    const names = Array.from({ length: 24 }, (_, i) => `p${i}.png`);
    const pixels = names.map((_, i) => makeTensor({ type: 'uint8', dims: [1, 30 + i, 50, 3], seed: i }));
    for (const [i, name] of names.entries())
      await sharp(pixels[i]!.data as Uint8Array, { raw: { height: 30 + i, width: 50, channels: 3 } }).toFile(
        join(pictures, name),
      );
    expect(run('batch.mjs', pictures, out, '20')).toMatch(/^24 pictures, at most [1-5] open at once$/);
    expect(readdirSync(out).sort()).toEqual(names.toSorted());
    const seen = await sharp(join(out, 'p7.png')).raw().toBuffer();
    const expected = interpolateSync(pixels[7]!, {
      size: 20,
      mode: 'bicubic',
      antialias: true,
      layout: 'nhwc',
    });
    expect(new Uint8Array(seen)).toEqual(expected.data);
  });
});

describe('segformer', () => {
  it('writes a palette PNG of the photograph’s size', async () => {
    const out = join(temporaryFolder(), 'map.png');
    const photo = join(repository, 'bench/demo/chelsea.png');
    const { width, height } = await sharp(photo).metadata();
    expect(run('segformer.mjs', photo, out)).toMatch(`1×19×64×64 → 1×${height}×${width}, `);
    const made = await sharp(out).metadata();
    expect([made.width, made.height, made.isPalette]).toEqual([width, height, true]);
  });
});
