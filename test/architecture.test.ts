/** The rules of the house that a compiler does not hold: who imports whom, what stands in one place, what an operator has. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Tracked files and new ones that are not ignored. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((f) => f !== '' && statSync(root + f, { throwIfNoEntry: false })?.isFile() === true);
const read = (f: string) => readFileSync(root + f, 'utf8');
const text = files.filter((f) => /\.(ts|mjs|cjs|js|cc|h|gypi?|json|yaml|yml|txt|md|sh)$|^\.ci\//.test(f));
const sources = files.filter((f) => f.startsWith('src/') && f.endsWith('.ts'));
const native = files.filter((f) => f.startsWith('native/') && /\.(cc|h)$/.test(f));

const ENTRY = ['index', 'onnx', 'reference'];

/** Folder/ or file of src/ → what it may import: folders and files by their first name, 'node' for built-in modules. */
const TYPESCRIPT: Record<string, readonly string[] | 'anything'> = {
  errors: [],
  tensor: ['errors', 'node'],
  half: ['node'],
  check: ['errors', 'tensor'],
  backend: ['plan', 'tensor', 'torch/prepare', 'native'],
  'plan/': ['plan', 'tensor', 'errors', 'check'],
  'reference/': ['reference', 'plan', 'tensor', 'backend', 'half'],
  'native/': ['native', 'backend', 'plan', 'tensor', 'errors', 'node'],
  execute: ['backend', 'errors', 'native', 'tensor', 'tensor-pool', 'check', 'node', 'diagnostics'],
  'torch/': ['torch', 'plan', 'execute', 'check', 'errors', 'tensor', 'native', 'backend'],
  'onnx/': ['onnx', 'torch', 'plan', 'execute', 'check', 'errors', 'tensor', 'native', 'backend', 'half'],
  'analysis/': ['analysis', 'plan', 'tensor', 'errors', 'check', 'half'],
  'files/': ['files', 'tensor', 'errors', 'check', 'half', 'node'],
  'cli/': ['cli', ...ENTRY, 'analysis', 'files', 'tensor', 'errors', 'check', 'native', 'runtime', 'node'],
  diagnostics: ['native', 'node'],
  'tensor-pool': ['execute', 'tensor', 'errors', 'check'],
  stream: ['execute', 'errors', 'check', 'tensor', 'node'],
  runtime: ['native', 'errors', 'node'],
  'output-dims': ['torch', 'onnx', 'plan', 'execute', 'tensor', 'errors', 'check'],
  // Entry points re-export from anywhere.
  ...Object.fromEntries(ENTRY.map((e) => [e, 'anything'])),
};

/** The folder of src/ that a file stands in, or its own name. */
const placeOf = (path: string) => {
  const [first, ...rest] = path.replace(/^src\//, '').split('/');
  return rest.length === 0 ? first!.replace(/\.ts$/, '') : first!;
};

/** Built-in packages aside, what may be imported from npm, and by whom. */
const PACKAGES: Record<string, readonly string[]> = { sharp: ['files'] };

describe('src', () => {
  it.each(sources)('%s imports what its place allows', (file) => {
    const place = placeOf(file);
    const allowed = TYPESCRIPT[file.split('/').length > 2 ? `${place}/` : place];
    expect(allowed, `${place} has a line in TYPESCRIPT`).toBeDefined();
    if (allowed === 'anything') return;
    for (const [, from] of read(file).matchAll(/(?<!')\b(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      if (from!.startsWith('node:')) expect(allowed, `${file} imports ${from}`).toContain('node');
      else if (!from!.startsWith('.')) expect(PACKAGES[from!], `${file} imports ${from}`).toContain(place);
      else {
        const target = posix.normalize(posix.join(posix.dirname(file), from!)).replace(/\.js$/, '.ts');
        if (target.endsWith('package.json')) continue;
        expect(files, `${file} imports ${from}`).toContain(target);
        expect(allowed, `${file} imports ${from}`).toContain(placeOf(target));
      }
    }
  });

  it('needs no package at run time: what it plugs into is for the tests alone', () => {
    const manifest = JSON.parse(read('package.json'));
    expect(manifest.dependencies).toBeUndefined();
    const engines = ['onnxruntime-node', '@huggingface/transformers', '@tensorflow/tfjs-core', 'sharp'];
    for (const name of engines) expect(manifest.devDependencies).toHaveProperty([name]);
    for (const name of engines)
      expect(
        sources.filter((f) => new RegExp(`(from|import\\(|require\\()\\s*'${name}`).test(read(f))),
        name,
      ).toEqual(name === 'sharp' ? ['src/files/images.ts'] : []);
  });

  it('has no enum, default export or console', () => {
    for (const f of sources) {
      const code = read(f);
      expect(code, f).not.toMatch(/^\s*(export )?(const )?enum /m);
      expect(code, f).not.toMatch(/^export default /m);
      if (placeOf(f) !== 'cli') expect(code, f).not.toMatch(/\bconsole\.|process\.std(out|err)/);
    }
  });
});

describe('native', () => {
  /** Folder of native/ → what its files may include in quotes. */
  const INCLUDES: Record<string, readonly string[]> = {
    kernels: ['kernels/'],
    runtime: ['runtime/', 'kernels/table.h', 'kernels/types.h'],
    ops: ['ops/', 'runtime/', 'kernels/table.h', 'kernels/types.h', 'kernels/'],
    binding: ['binding/', 'ops/', 'runtime/', 'kernels/types.h'],
    tests: ['ops/', 'runtime/', 'kernels/'],
    'addon.cc': ['binding/'],
  };

  it.each(native)('%s includes what its place allows', (file) => {
    const place = file.split('/')[1]!;
    const allowed = INCLUDES[place];
    expect(allowed, `${place} has a line in INCLUDES`).toBeDefined();
    for (const [, quote, name] of read(file).matchAll(/^\s*#\s*include\s+([<"])([^>"]+)[>"]/gm)) {
      if (quote === '"')
        expect(
          allowed!.some((a) => name!.startsWith(a)),
          `${file} includes ${name}`,
        ).toBe(true);
      else if (name === 'napi.h' || name === 'node_api.h')
        expect(place === 'binding' || place === 'addon.cc', `${file} includes ${name}`).toBe(true);
      // No std headers in kernels: their templates are weak symbols, which the linker shares between instruction sets.
      else if (place === 'kernels')
        expect(['stdint.h', 'stddef.h', 'immintrin.h', 'arm_neon.h']).toContain(name);
    }
  });

  it('starts threads in one place', () => {
    const lines = native.flatMap((f) =>
      [...read(f).matchAll(/^\s*#\s*pragma omp.*$/gm)].map((m) => `${f}: ${m[0].trim()}`),
    );
    expect(lines.filter((l) => !l.includes('omp simd'))).toEqual([
      'native/runtime/parallel.cc: #pragma omp parallel num_threads(size_)',
    ]);
  });

  it('names instruction sets for the compiler in one place', () => {
    for (const f of files.filter((f) => /\.(cc|h|gyp|gypi|txt|ts|json)$/.test(f) && !f.includes('lock')))
      if (f !== 'native/sources.gypi' && !f.startsWith('test/'))
        expect(read(f), f).not.toMatch(/-mavx|-mfma|-march=|target\("avx|GCC target/);
  });

  it('detects the CPU in one place', () => {
    for (const f of native)
      if (f !== 'native/runtime/isa.cc') expect(read(f), f).not.toMatch(/__builtin_cpu_|cpuid|getauxval/);
  });

  it('keeps bindings to decoding', () => {
    for (const f of native.filter((f) => f.startsWith('native/binding/')))
      expect(read(f), f).not.toMatch(/ThrowAsJavaScriptException|Napi::TypeError|napi_throw/);
  });

  it('lists every source file', () => {
    const lists = JSON.parse(read('native/sources.gypi')).variables as Record<string, string[]>;
    const listed = [...lists.ups_sources!, ...lists.ups_kernel_sources!].sort();
    const compiled = native.filter((f) => f.endsWith('.cc') && !f.startsWith('native/tests/')).sort();
    expect(listed).toEqual(compiled);
  });
});

describe('operators', () => {
  const operators = [...read('src/backend.ts').matchAll(/^ {2}(\w+): \w+Plan;$/gm)].map((m) => m[1]!);
  const stemOf = (name: string) =>
    name.replace(/[A-Z]|(?<=[a-z])\dd$/g, (c) => (/\d/.test(c) ? c : `-${c.toLowerCase()}`));
  /** Places where an operator has no file of its own, with the stem whose file serves it, or '' where there is none. */
  const EXCEPTIONS: Record<string, Record<string, string>> = {
    conv2d: { ops: 'convolution' },
    convTranspose2d: { ops: 'convolution', packer: 'conv2d' },
    resizeConv2d: { ops: 'convolution', packer: 'conv2d' },
  };
  const PLACES: Record<string, (stem: string) => string> = {
    plan: (s) => `src/plan/${s}.ts`,
    reference: (s) => `src/reference/${s}.ts`,
    packer: (s) => `src/native/${s}.ts`,
    torch: (s) => `src/torch/${s}.ts`,
    ops: (s) => `native/ops/${s}.cc`,
    binding: (s) => `native/binding/${s}.cc`,
    test: (s) => `test/ops/${s}.ts`,
  };

  it('are found', () => expect(operators.length).toBeGreaterThan(0));

  it.each(operators)('%s has a file of its stem in every place', (name) => {
    for (const [place, path] of Object.entries(PLACES)) {
      const stem = EXCEPTIONS[name]?.[place] ?? stemOf(name);
      if (stem === '') continue;
      const found = files.includes(path(stem)) || files.includes(path(stem).replaceAll('-', '_'));
      expect(found, `${place}: ${path(stem)}`).toBe(true);
    }
  });

  it('have only exceptions that are needed', () => {
    for (const [name, places] of Object.entries(EXCEPTIONS)) {
      expect(operators).toContain(name);
      for (const place of Object.keys(places))
        expect(files, `${name} ${place}`).not.toContain(PLACES[place]!(stemOf(name)));
    }
  });
});

describe('the repository', () => {
  it('has nothing in its root but what the design lists', () => {
    const top = [...new Set(files.map((f) => f.split('/')[0]!))].sort();
    const allowed =
      'native src test bench .ci binding.gyp package.json tsconfig.json README.md LICENSE .gitignore package-lock.json'.split(
        ' ',
      );
    expect(top.filter((f) => !allowed.includes(f))).toEqual([]);
  });

  it('has no file above 1 MiB', () => {
    expect(files.filter((f) => statSync(root + f).size > 1 << 20)).toEqual([]);
  });

  const self = 'test/architecture.test.ts';

  it('has no loose ends', () => {
    for (const f of text) {
      if (f === self) continue;
      expect(read(f), f).not.toMatch(/\b(TODO|FIXME|XXX|HACK)\b|not implemented/);
      if (/\.test\.ts$|^test\//.test(f))
        expect(read(f), f).not.toMatch(/\b(it|describe|test)\.(only|skip|todo)\b/);
    }
  });

  it('installs from the npm registry alone', () => {
    // The script of onnxruntime-node fetches CUDA from elsewhere. npm 11 asks allowScripts; older ones run what the lock file marks.
    expect(JSON.parse(read('package.json')).allowScripts).toEqual({ 'onnxruntime-node': false });
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { hasInstallScript?: boolean }>;
    };
    const marked = Object.keys(packages).filter((p) => packages[p]!.hasInstallScript === true);
    expect(marked, 'delete hasInstallScript of these in package-lock.json').toEqual([]);
  });

  it('names no path of one machine and no private registry', () => {
    for (const f of text) {
      if (f === self) continue;
      expect(read(f), f).not.toMatch(/\/work\/|\/root\/|\/home\/\w|\.pyenv|\/tmp\/bash_jobs/);
    }
    for (const [, url] of read('package-lock.json').matchAll(/"resolved": "([^"]+)"/g))
      expect(url).toMatch(/^https:\/\/registry\.npmjs\.org\//);
  });
});
