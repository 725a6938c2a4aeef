/** What a server lives through, each in a process of its own: exits, limits, signals, missing parts, workers. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { runtime } from '../../src/index.js';
import { child, least, PRELUDE, packageUrl, repository, succeeds } from '../support/child.js';

const folder = mkdtempSync(join(tmpdir(), 'upsampling-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const addon = join(repository, 'build/Release/upsampling.node');
const works = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;
const have = (tool: string) => works('sh', '-c', `command -v ${tool}`);

describe('the end of a process', () => {
  it('comes by itself when the queue is empty', () => {
    const { status, milliseconds } = child(`interpolate(tiny, doubled); interpolate(large, enlarged);`);
    expect(status).toBe(0);
    expect(milliseconds).toBeLessThan(20_000);
  });

  it('comes at once in the middle of work', () => {
    const script = `for (let i = 0; i < 40; i++) interpolate(large, enlarged);
      setTimeout(() => { console.log(performance.now()); process.exit(3); }, 100);
      process.on('exit', () => console.log(performance.now()));`;
    const r = child(script);
    expect(r.status).toBe(3);
    expect(r.stderr).toBe('');
    expect(
      child(
        `for (let i = 0; i < 40; i++) interpolate(large, enlarged); setTimeout(() => { throw new Error('out'); }, 50);`,
      ),
    ).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Error: out') as string,
    });
  });

  it('comes by a signal in the middle of work', () => {
    const r = child(
      `for (let i = 0; i < 40; i++) interpolate(large, enlarged); setTimeout(() => process.kill(process.pid, 'SIGTERM'), 100);`,
    );
    expect(r.signal).toBe('SIGTERM');
    const handled = child(`process.on('SIGTERM', () => { console.log('term'); process.exit(0); });
      for (let i = 0; i < 40; i++) interpolate(large, enlarged); setTimeout(() => process.kill(process.pid, 'SIGTERM'), 100);`);
    expect(handled).toMatchObject({ status: 0, stdout: 'term', stderr: '' });
  });
});

describe('idle', () => {
  it('takes no processor time after work', () => {
    succeeds(`await Promise.all([interpolate(large, enlarged), interpolate(large, enlarged)]);
      for (let i = 0; i < 100; i++) await interpolate(tiny, doubled);
      await sleep(300);
      const before = cpu();
      await sleep(1000);
      const used = cpu() - before;
      assert(used < 30, 'idle process used ' + used + ' ms of 1000');`);
  });
});

describe('cancellation', () => {
  it('removes queued calls at once, whatever their number, and prints nothing', () => {
    succeeds(`
      const c = new AbortController();
      const { signal } = c;
      const reason = new Error('enough');
      const blocking = interpolate(large, { size: [8192, 8192], mode: 'bicubic', signal });
      // Much to read by the estimate, so they wait for the one before.
      const much = image(2400, 2400);
      const calls = Array.from({ length: 10000 }, () => interpolate(much, { size: [2, 2], signal }));
      await sleep(1);
      const { queued } = runtime.stats();
      assert(queued === 10000, queued + ' are queued');
      const began = performance.now();
      c.abort(reason);
      assert(runtime.stats().queued === 0, 'queued after abort()');
      const ends = await Promise.allSettled([blocking, ...calls]);
      const took = performance.now() - began;
      assert(took < 500, 'took ' + took);
      assert(ends.every((e) => e.reason === reason), 'other reasons');
      assert(runtime.stats().running === 0, 'still running');
      await interpolate(large, enlarged);`);
  });

  /** Calls that take a second and more; `out` is reused, so that no time goes into fresh memory. */
  const long: Record<string, string> = {
    interpolate: `(signal) => interpolate(large, { size: [8192, 8192], mode: 'bicubic', signal, out })`,
    'interpolate antialiased': `(signal) => interpolate(big, { size: [2000, 2000], mode: 'bicubic', antialias: true, signal })`,
    conv2d: `(signal) => ups.conv2d(deep, { data: kernel, dims: [512, 512, 3, 3] }, { padding: 1, signal, out: deepOut })`,
    'conv2d 7x7': `(signal) => ups.conv2d(deep, { data: kernel7, dims: [128, 512, 7, 7] }, { padding: 3, signal })`,
    convTranspose2d: `(signal) => ups.convTranspose2d(deep, { data: kernel, dims: [512, 512, 3, 3] }, { stride: 2, padding: 1, signal, out: { data: out.data, dims: [1, 512, 511, 511] } })`,
    'conv2d, nhwc': `(signal) => ups.conv2d(last, { data: kernel, dims: [512, 512, 3, 3] }, { padding: 1, layout: 'nhwc', signal })`,
    interpolateArgmax: `(signal) => ups.interpolateArgmax(classes, { size: [2048, 2048], signal })`,
    gridSample: `(signal) => ups.gridSample(large, grid, { signal, out })`,
    maxPool2d: `(signal) => ups.maxPool2d(big, { kernelSize: 31, stride: 1, padding: 15, signal })`,
  };
  it.each(Object.keys(long))(
    'stops a running %s within 5 ms',
    (name) => {
      const usual = () =>
        Number(
          succeeds(`
      const out = { data: new Float32Array(4 * 8192 * 8192), dims: [1, 4, 8192, 8192] };
      const noise = (dims) => ({ data: new Float32Array(dims.reduce((a, b) => a * b)).fill(0.5), dims });
      const big = ${/big/.test(long[name]!)} && noise([1, 64, 1024, 1024]);
      const deep = ${/deep/.test(long[name]!)} && noise([1, 512, 256, 256]), deepOut = deep && noise([1, 512, 256, 256]);
      const last = ${/last/.test(long[name]!)} && noise([1, 256, 256, 512]);
      const kernel = new Float32Array(512 * 512 * 9).fill(1e-3), kernel7 = new Float32Array(128 * 512 * 49).fill(1e-3);
      const classes = ${/classes/.test(long[name]!)} && noise([1, 150, 1024, 1024]);
      const grid = ${/grid/.test(long[name]!)} && noise([1, 8192, 8192, 2]);
      const start = ${long[name]!};
      const times = [];
      for (let i = 0; i < 9; i++) {
        const c = new AbortController();
        const call = start(c.signal);
        call.catch(() => {});
        await sleep(20 + i);
        assert(runtime.stats().running === 1, 'not running');
        const [began, used] = [performance.now(), cpu()];
        c.abort();
        const error = await call.catch((e) => e);
        // Where other processes hold the cores, the work that was still done counts, not the waiting for a core.
        times.push(Math.min(performance.now() - began, (cpu() - used) / runtime.threads));
        assert(error.name === 'AbortError', 'ended with ' + error);
      }
      console.log(times.sort((a, b) => a - b)[4]);`),
        );
      expect(least(10, 5, usual)).toBeLessThan(5);
    },
    120_000,
  );
});

describe('half a core', () => {
  const script = `const began = performance.now();
    const results = await Promise.all([
      ...Array.from({ length: 6 }, () => interpolate(large, enlarged)),
      ...Array.from({ length: 2000 }, () => interpolate(tiny, doubled)),
    ]);
    assert(results.every((y) => y.data.length === (y.dims[2] === 4 ? 16 : 4 * 2048 * 2048)), 'lost calls');
    const c = new AbortController();
    const call = interpolate(large, { size: [4096, 4096], mode: 'bicubic', signal: c.signal }).catch((e) => e.name);
    while (runtime.stats().running === 0) await sleep(1);
    c.abort();
    assert((await call) === 'AbortError', 'not cancelled');
    console.log(runtime.threads);`;

  it('by stopping and continuing the process is lived through', async () => {
    const r = spawn(process.execPath, ['--input-type=module', '--eval', PRELUDE + script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: repository,
    });
    let [said, ended, stopped] = ['', false, false];
    r.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const end = new Promise<number | null>((f) =>
      r.on('exit', (code) => {
        ended = true;
        f(code);
      }),
    );
    // As the kernel does it to a group with a quota: 50 ms of every 100.
    while (!ended) {
      stopped = !stopped;
      r.kill(stopped ? 'SIGSTOP' : 'SIGCONT');
      await sleep(50);
    }
    expect(await end).toBe(0);
    expect(said.trim()).toBe(String(runtime.threads));
  }, 60_000);

  it('by the quota of a group of processes gives one thread, where the groups may be written', () => {
    const made = group(0.5);
    try {
      // Without the right to make groups the quota is read from files that look like one: load.test.ts.
      if (made !== undefined)
        expect(
          succeeds(script, { under: ['sh', '-c', `echo $$ > ${made}/cgroup.procs && exec "$@"`, 'sh'] }),
        ).toBe('1');
    } finally {
      if (made !== undefined) rmdirSync(made);
    }
  }, 60_000);

  /** A new cgroup, v1 or v2, with so many CPUs. */
  function group(cpus: number): string | undefined {
    for (const [root, file, text] of [
      ['/sys/fs/cgroup/cpu', 'cpu.cfs_quota_us', `${cpus * 100_000}`],
      ['/sys/fs/cgroup', 'cpu.max', `${cpus * 100_000} 100000`],
    ] as const) {
      const at = join(root, `upsampling-${process.pid}`);
      try {
        mkdirSync(at);
      } catch {
        continue;
      }
      try {
        writeFileSync(join(at, file), text);
        return at;
      } catch {
        rmdirSync(at);
      }
    }
    return undefined;
  }
});

describe('threads', () => {
  const count = `import('node:fs').then((fs) => fs.readdirSync('/proc/self/task').length)`;

  it('are as many as the variables say', () => {
    const threads = (env: Record<string, string>) => succeeds('console.log(runtime.threads)', { env });
    expect(threads({ UPSAMPLING_THREADS: '3' })).toBe('3');
    expect(threads({ OMP_NUM_THREADS: '5' })).toBe('5');
    expect(threads({ OMP_NUM_THREADS: '5,2', UPSAMPLING_THREADS: '' })).toBe('5');
    expect(threads({ OMP_NUM_THREADS: '5', UPSAMPLING_THREADS: '2' })).toBe('2');
  });

  it.runIf(have('taskset'))('is one with one core by affinity, and works there', () => {
    const r = succeeds(
      `const y = await Promise.all([interpolate(large, enlarged), interpolate(tiny, doubled), interpolate(tiny, doubled)]);
       console.log(runtime.threads, y.length);`,
      { under: ['taskset', '-c', '0'] },
    );
    expect(r).toBe('1 3');
  });

  it('are not more than two teams, from however many threads calls come', () => {
    succeeds(`
      runtime.setThreads(4);
      const { Worker } = await import('node:worker_threads');
      const before = await ${count};
      const code = 'import(' + JSON.stringify(${JSON.stringify(packageUrl)}) + ').then(async ({ interpolateSync }) => { for (let i = 0; i < 3; i++) interpolateSync({ data: new Float32Array(65536), dims: [1, 1, 256, 256] }, { size: 1024, mode: "bicubic" }); (await import("node:worker_threads")).parentPort.postMessage(0); setTimeout(() => {}, 1e6); })';
      const workers = Array.from({ length: 6 }, () => new Worker(code, { eval: true }));
      await Promise.all(workers.map((w) => new Promise((f) => w.once('message', f))));
      interpolateSync(large, enlarged);
      await interpolate(large, enlarged);
      const more = (await ${count}) - before - 6;
      // A dispatcher and the team, three of it, whoever calls.
      assert(more <= 4 + 2, 'there are ' + more + ' threads more');
      await Promise.all(workers.map((w) => w.terminate()));`);
  });

  it('fall back to fewer when they cannot be created', () => {
    const source = join(folder, 'refuse.c');
    const library = join(folder, 'refuse.so');
    writeFileSync(
      source,
      `#define _GNU_SOURCE
      #include <dlfcn.h>
      #include <errno.h>
      #include <pthread.h>
      #include <stdlib.h>
      /* Lets so many threads more live at a time, as a limit of the system does. */
      static int alive;
      struct Start { void* (*f)(void*); void* d; };
      static void* started(void* p) {
        struct Start s = *(struct Start*)p;
        free(p);
        void* result = s.f(s.d);
        __atomic_fetch_sub(&alive, 1, __ATOMIC_SEQ_CST);
        return result;
      }
      int pthread_create(pthread_t* t, const pthread_attr_t* a, void* (*f)(void*), void* d) {
        int (*real)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) = dlsym(RTLD_NEXT, "pthread_create");
        const char* limit = getenv("THREADS_LEFT");
        if (!limit) return real(t, a, f, d);
        if (__atomic_fetch_add(&alive, 1, __ATOMIC_SEQ_CST) >= atoi(limit)) {
          __atomic_fetch_sub(&alive, 1, __ATOMIC_SEQ_CST);
          return EAGAIN;
        }
        struct Start* s = malloc(sizeof *s);
        s->f = f;
        s->d = d;
        return real(t, a, started, s);
      }`,
    );
    execFileSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-o', library, source, '-ldl']);
    for (const left of [0, 1, 2, 5])
      succeeds(
        `const expected = interpolateSync(large, { ...enlarged, threads: 1 }).data;
         runtime.setThreads(8);
         process.env.THREADS_LEFT = '${left}';
         const same = (y) => assert(Buffer.compare(Buffer.from(y.data.buffer), Buffer.from(expected.buffer)) === 0, 'other bits');
         for (let i = 0; i < 3; i++) {
           same(await interpolate(large, enlarged));
           same(interpolateSync(large, enlarged));
           await Promise.all(Array.from({ length: 50 }, () => interpolate(tiny, doubled)));
         }`,
        { env: { LD_PRELOAD: library } },
      );
  });

  // Another user, who has no other process, but may not look into everybody's folders.
  const other = ['--reuid=54321', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all'];
  const readable = process.getuid?.() === 0 && works('setpriv', ...other, 'test', '-r', addon);
  it.runIf(readable && have('prlimit'))('fall back to fewer at the limit of the user', () => {
    // The limit leaves room for Node's own threads and a few more.
    for (const limit of [13, 16])
      succeeds(
        `runtime.setThreads(32);
         for (let i = 0; i < 3; i++) { await interpolate(large, enlarged); interpolateSync(large, enlarged); }`,
        { under: ['prlimit', `--nproc=${limit}`, 'setpriv', ...other] },
      );
  });

  it('are not needed: without libgomp the addon loads and computes alone', () => {
    // A copy that looks for a library that is nowhere.
    const alone = join(folder, 'alone.node');
    const bytes = readFileSync(addon);
    const at = bytes.indexOf('libgomp.so.1');
    expect(at).toBeGreaterThan(0);
    bytes.write('libgomp.so.X', at);
    writeFileSync(alone, bytes);
    const script = `runtime.setThreads(4);
      const { createHash } = await import('node:crypto');
      const hash = createHash('sha1');
      for (const y of await Promise.all([interpolate(large, enlarged), interpolate(tiny, doubled), interpolate(tiny, doubled)])) hash.update(Buffer.from(y.data.buffer));
      hash.update(Buffer.from(interpolateSync(large, enlarged).data.buffer));
      console.log(hash.digest('hex'), (await import('node:fs')).readFileSync('/proc/self/maps', 'utf8').includes('libgomp'));`;
    const [hash, loaded] = succeeds(script, { env: { UPSAMPLING_ADDON: alone } }).split(' ');
    expect(loaded).toBe('false');
    expect(succeeds(script)).toBe(`${hash} true`);
  });
});

describe('the addon', () => {
  it('says in one sentence how to build it where it is missing', () => {
    const copy = join(folder, 'copy');
    mkdirSync(copy);
    cpSync(join(repository, 'dist'), join(copy, 'dist'), { recursive: true });
    copyFileSync(join(repository, 'package.json'), join(copy, 'package.json'));
    const script = `import(${JSON.stringify(`file://${copy}/dist/index.js`)}).then(async (m) => {
      const x = { data: new Float32Array(4), dims: [1, 1, 2, 2] };
      try { m.interpolateSync(x, { size: 3 }); } catch (e) { console.log(e.code, e.message); }
      await m.interpolate(x, { size: 3 }).catch((e) => console.log(e.code));
    });`;
    const out = succeeds(script);
    expect(out).toMatch(
      /^ERR_UPSAMPLING_ADDON upsampling: the native addon is missing: there is no file .*; build it with: npm run build\nERR_UPSAMPLING_ADDON$/,
    );
  });

  it('says so where addons are disabled', () => {
    const out = succeeds(`try { runtime.isa; } catch (e) { console.log(e.code, e.message); }`, {
      node: ['--no-addons'],
    });
    expect(out).toMatch(/^ERR_UPSAMPLING_ADDON .*addons are disabled/);
  });

  it('refuses an instruction set that it does not have', () => {
    const out = succeeds(
      `try { interpolateSync(tiny, doubled); } catch (e) { console.log(e.code, e.message); }`,
      { env: { UPSAMPLING_ISA: 'mmx' } },
    );
    expect(out).toMatch(
      /^ERR_UPSAMPLING_OPTION upsampling: UPSAMPLING_ISA must be one of baseline.* on this CPU, got "mmx"$/,
    );
    expect(succeeds('console.log(runtime.isa)', { env: { UPSAMPLING_ISA: 'baseline' } })).toBe('baseline');
  });

  it('has one dispatcher in a process, also in several copies', () => {
    const second = join(folder, 'second.node');
    copyFileSync(addon, second);
    succeeds(`
      const { createRequire } = await import('node:module');
      await interpolate(tiny, doubled);
      const other = createRequire(import.meta.url)(${JSON.stringify(second)});
      const before = other.stats().completed;
      assert(before === 1, 'the copy has its own queue: ' + before);
      await Promise.all(Array.from({ length: 10 }, () => interpolate(large, { size: [600, 600] })));
      assert(other.stats().completed === 11, 'counts ' + other.stats().completed);`);
    succeeds(
      `const first = await interpolate(large, enlarged);
       const { Worker } = await import('node:worker_threads');
       const code = 'import(' + JSON.stringify(${JSON.stringify(packageUrl)}) + ').then(async ({ interpolate }) => { const x = { data: new Float32Array(65536).fill(3), dims: [1, 1, 256, 256] }; const y = await Promise.all(Array.from({ length: 30 }, () => interpolate(x, { size: 300 }))); (await import("node:worker_threads")).parentPort.postMessage(y.every((t) => t.data.every((v) => v === 3))); })';
       const env = { ...process.env, UPSAMPLING_ADDON: ${JSON.stringify(second)} };
       const workers = [env, process.env, env].map((env) => new Worker(code, { eval: true, env }));
       const ok = await Promise.all(workers.map((w) => new Promise((f) => w.once('message', f))));
       assert(ok.every((v) => v === true), 'wrong values');
       await Promise.all(workers.map((w) => w.terminate()));
       await interpolate(large, enlarged);`,
    );
  });

  it('works under frozen intrinsics, in vm contexts and after a reset of modules', () => {
    const r = child(`await interpolate(large, enlarged); interpolateSync(tiny, doubled);`, {
      node: ['--frozen-intrinsics', '--no-warnings'],
    });
    expect(r).toMatchObject({ status: 0, stderr: '' });
    succeeds(`
      const vm = await import('node:vm');
      const theirs = vm.runInNewContext('({ data: new Float32Array([1, 2, 3, 4]), dims: [1, 1, 2, 2] })');
      assert((await interpolate(theirs, doubled)).data[15] === 4, 'array of another realm');
      const again = await import(${JSON.stringify(`${packageUrl}?again`)});
      const c = new AbortController();
      const fresh = await import(${JSON.stringify(packageUrl.replace('index.js', 'native/jobs.js'))} + '?again');
      assert(again !== ups && fresh !== undefined, 'the same module');
      const y = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? again : ups).interpolate(tiny, doubled)));
      assert(y.length === 20, 'lost calls');`);
  });

  it('serves forks and clusters', () => {
    const file = join(folder, 'forked.mjs');
    writeFileSync(
      file,
      `import { interpolate, interpolateSync } from ${JSON.stringify(packageUrl)};
       import { fork } from 'node:child_process';
       import cluster from 'node:cluster';
       const x = { data: new Float32Array(65536).fill(2), dims: [1, 1, 256, 256] };
       const work = async () => {
         const y = await Promise.all(Array.from({ length: 8 }, () => interpolate(x, { size: 700, mode: 'bicubic' })));
         if (!y.every((t) => t.data.every((v) => Math.abs(v - 2) < 1e-5))) throw new Error('wrong');
         interpolateSync(x, { size: 700 });
       };
       await work();
       if (process.argv[2] === 'parent') {
         const ended = (p) => new Promise((f) => p.on('exit', f));
         const codes = await Promise.all([ended(fork(process.argv[1], ['child'])), ended(fork(process.argv[1], ['child'])), work()]);
         cluster.setupPrimary({ args: ['child'] });
         codes.push(await ended(cluster.fork()), await ended(cluster.fork()));
         console.log(codes.join());
       }
       if (cluster.isWorker) process.exit(0);`,
    );
    const out = execFileSync(process.execPath, [file, 'parent'], {
      encoding: 'utf8',
      timeout: 50_000,
      stdio: 'pipe',
    });
    expect(out.trim()).toBe('0,0,,0,0');
  });
});

describe('memory behind a tensor', () => {
  // A WebAssembly memory ends at pages that may not be read: sentinels see writes, this sees reads.
  it.each(runtime.isas)('is not read by resizes of short pixels, mirrored or not: %s', (isa) => {
    succeeds(
      `const { resizeSync } = await import(${JSON.stringify(packageUrl.replace('index.js', 'onnx.js'))});
        const vector = (values) => ({ data: Float32Array.from(values), dims: [values.length] });
        for (const channels of [4, 5, 6, 7, 12, 15])
          for (const [height, width] of [[4, 8], [9, 70]]) {
            const n = height * width * channels, { buffer } = new WebAssembly.Memory({ initial: 1 });
            const x = { data: new Float32Array(buffer, buffer.byteLength - 4 * n, n).fill(1), dims: [1, height, width, channels] };
            for (const mode of ['nearest', 'linear', 'cubic'])
              for (const roi of [[0, 0, 1, 1], [1, 1, 0, 0]])
                for (const sizes of [[2n, 3n], [9n, 17n], [20n, 150n]]) {
                  const [y] = resizeSync([x, vector(roi), undefined, { data: BigInt64Array.from(sizes), dims: [2] }],
                    { mode, axes: [1, 2], coordinate_transformation_mode: 'tf_crop_and_resize' });
                  assert(y.data.every((v) => Math.abs(v - 1) < 1e-5), 'wrong values');
                }
          }`,
      { env: { UPSAMPLING_ISA: isa } },
    );
  });
});

describe('worker_threads', () => {
  const source = (body: string) =>
    JSON.stringify(`import(${JSON.stringify(packageUrl)}).then(async ({ interpolate, interpolateSync, runtime }) => {
      const { parentPort } = await import('node:worker_threads');
      const x = { data: new Float32Array(16384).fill(2), dims: [1, 1, 128, 128] };
      ${body}
    });`);

  it('start, work and end, two hundred times', () => {
    const out = succeeds(
      `
      const { Worker } = await import('node:worker_threads');
      const code = ${source(`
        const y = await Promise.all([interpolate(x, { size: 256 }), interpolate(x, { size: 512 }), interpolate(x, { size: 3 })]);
        parentPort.postMessage(y.every((t) => t.data.every((v) => v === 2)));`)};
      const cycle = async () => {
        const w = new Worker(code, { eval: true });
        const ok = await new Promise((f, r) => { w.once('message', f); w.once('error', r); });
        assert(ok, 'wrong values');
        await w.terminate();
      };
      for (let i = 0; i < 20; i++) await Promise.all([cycle(), cycle()]);
      globalThis.gc();
      const before = process.memoryUsage().rss;
      for (let i = 0; i < 80; i++) await Promise.all([cycle(), cycle()]);
      globalThis.gc();
      console.log(Math.round((process.memoryUsage().rss - before) / 2 ** 20));`,
      { node: ['--expose-gc'], timeout: 100_000 },
    );
    expect(Number(out)).toBeLessThan(120);
  }, 120_000);

  it('may be terminated in the middle of work', () => {
    succeeds(
      `
      const { Worker } = await import('node:worker_threads');
      const code = ${source(`
        for (let i = 0; i < 20; i++) { interpolate(x, { size: 512, mode: 'bicubic' }); interpolate(x, { size: 3 }); }
        interpolate(x, { size: 4096, mode: 'bicubic' });
        parentPort.postMessage(0);
        setTimeout(() => { for (;;) interpolateSync(x, { size: 700, mode: 'bicubic' }); }, Math.random() * 20);`)};
      for (let i = 0; i < 8; i++) {
        const workers = Array.from({ length: 3 }, () => new Worker(code, { eval: true }));
        await Promise.all(workers.map((w) => new Promise((f) => w.once('message', f))));
        await sleep(Math.random() * 30);
        await Promise.all(workers.map((w) => w.terminate()));
      }
      await sleep(50);
      const { queued, running } = runtime.stats();
      assert(queued === 0 && running === 0, 'left ' + queued + ' queued, ' + running + ' running');
      const y = await interpolate(tiny, doubled);
      assert(y.data.length === 16, 'does not work any more');`,
      { timeout: 100_000 },
    );
  }, 120_000);

  it('may be the only ones that load the addon', () => {
    succeeds(`
      const { Worker } = await import('node:worker_threads');
      const code = ${source(`for (let i = 0; i < 5; i++) await interpolate(x, { size: 512 }); parentPort.postMessage(0);`)};
      for (let i = 0; i < 5; i++) {
        const w = new Worker(code, { eval: true });
        await new Promise((f) => w.once('exit', f));
      }`);
  });
});

describe('garbage collection', () => {
  it('may come at every step', () => {
    succeeds(
      `
      const calls = [];
      for (let i = 0; i < 60; i++) {
        calls.push(interpolate({ data: new Float32Array(4096).fill(i), dims: [1, 1, 64, 64] }, { size: 100 }));
        globalThis.gc();
        if (i % 5 === 0) await sleep(1);
      }
      for (const [i, y] of (await Promise.all(calls)).entries()) assert(y.data.every((v) => v === i), 'call ' + i);`,
      { node: ['--expose-gc'] },
    );
    succeeds(
      `const calls = []; for (let i = 0; i < 30; i++) calls.push(interpolate({ data: new Float32Array(64).fill(i), dims: [1, 1, 8, 8] }, { size: 20 }));
      for (const [i, y] of (await Promise.all(calls)).entries()) assert(y.data.every((v) => v === i), 'call ' + i);`,
      { node: ['--gc-interval=50', '--stress-compaction'] },
    );
  });
});
