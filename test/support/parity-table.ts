/** What the parity table says: per operator and mode, how many cases were compared with which source, and how far apart. */
import { native } from '../../src/native/backend.js';
import { writer } from '../../src/reference/elements.js';
import { allocate, type DataType, type TypedArray } from '../../src/tensor.js';
import { operators } from '../ops/index.js';
import { expectation, numbers } from './compare.js';
import { conformanceCases, conformanceFolder, storedUlp, worstUlp } from './conformance.js';
import { differsOnPurpose } from './differences.js';
import { compareGolden, GOLDEN_FILES, goldenFile } from './golden.js';
import { runOnnxCase } from './onnx-cases.js';
import { callOf } from './operator.js';
import { random } from './random.js';
import { guarded } from './tensors.js';
import { runWebnnCase } from './webnn.js';

export const SOURCES = ['PyTorch 2.13', 'ONNX', 'WebNN', 'reference'] as const;
export type Source = (typeof SOURCES)[number];

/** In words, for the head of the table. */
export const SOURCE_VERSIONS: Readonly<Record<Source, string>> = {
  'PyTorch 2.13': 'golden vectors of PyTorch 2.13.0 (test/golden), from seeds',
  ONNX: "ONNX's node tests and converted PyTorch models, ONNX commit f7546912",
  WebNN: 'web-platform-tests and webnn-baseline b7a6aae',
  reference: 'this package’s own float64 reference on seeded random cases',
};

interface Cell {
  cases: number;
  /** The largest error; undefined for operators that are judged by a rule of their own (`judge` in test/ops). */
  ulp?: number;
}

export interface Row {
  readonly operator: string;
  readonly mode: string;
  readonly cells: Partial<Record<Source, Cell>>;
}

/** Random cases per operator against the reference. */
const DRAWS = 60;
const SEED = 20261122;

const modeOf = (o: Readonly<Record<string, unknown>>): string =>
  [
    o.mode ?? '',
    o.antialias === true || o.antialias === 1 ? 'antialias' : '',
    o.alignCorners === true || o.align_corners === 1 || o.coordinate_transformation_mode === 'align_corners'
      ? 'corners'
      : '',
  ]
    .filter((w) => w !== '')
    .join(', ');

const ONNX_NAMES: Readonly<Record<string, string>> = {
  Resize: 'onnx.resize',
  Upsample: 'onnx.upsample',
  MaxPool: 'onnx.maxPool',
  MaxUnpool: 'onnx.maxUnpool',
  AveragePool: 'onnx.averagePool',
  Conv: 'onnx.conv',
  ConvTranspose: 'onnx.convTranspose',
  DepthToSpace: 'onnx.depthToSpace',
  SpaceToDepth: 'onnx.spaceToDepth',
  GridSample: 'onnx.gridSample',
};

/** Test tables of operators in ONNX's words. */
const ONNX_TABLES = Object.values(ONNX_NAMES).map((n) => n.slice('onnx.'.length));

/** Runs everything; sorted by operator and mode. */
export function parityTable(): Row[] {
  const rows = new Map<string, Row>();
  const add = (operator: string, mode: string, source: Source, ulp?: number) => {
    const key = `${operator} ${mode}`;
    const row = rows.get(key) ?? { operator, mode, cells: {} };
    rows.set(key, row);
    const { cases, ulp: before = 0 } = row.cells[source] ?? { cases: 0 };
    row.cells[source] = { cases: cases + 1, ...(ulp !== undefined && { ulp: Math.max(before, ulp) }) };
  };
  for (const name of GOLDEN_FILES)
    for (const c of goldenFile(name).cases) {
      if (differsOnPurpose(c)) continue;
      const mode = c.op === 'interpolate' && c.options.mode === undefined ? 'nearest' : modeOf(c.options);
      add(c.op, mode, 'PyTorch 2.13', compareGolden(c).ulp);
    }
  if (conformanceFolder !== undefined) {
    for (const { cases } of conformanceCases('onnx'))
      for (const c of cases) {
        const got = runOnnxCase(c);
        const ulp = Math.max(...c.expected.map((e, i) => storedUlp(got[i]!, e)));
        add(ONNX_NAMES[c.op]!, modeOf(c.attributes ?? {}), 'ONNX', ulp);
      }
    for (const { cases } of conformanceCases('wpt'))
      for (const c of cases) {
        const { output, by } = runWebnnCase(c);
        const mode =
          by === 'interpolate'
            ? 'bilinear'
            : by === 'onnx.resize'
              ? c.options?.mode === 'linear'
                ? 'linear'
                : 'nearest'
              : '';
        add(by, mode, 'WebNN', storedUlp(output, c.expected[0]!));
      }
  }
  for (const op of operators) {
    const onnxOnly = ONNX_TABLES.includes(op.name) && op.name !== 'gridSample';
    for (let i = 0; i < DRAWS; i++) {
      const args = op.random(random(SEED + i));
      const call = callOf(op, args);
      const outputs = call.outputs.map((o) => guarded(o.type, o.dims).tensor.data);
      const run = native(1)[op.kernel] as (
        p: unknown,
        i: readonly TypedArray[],
        o: readonly TypedArray[],
      ) => void;
      run(call.plan, call.inputs, outputs);
      const name = onnxOnly ? `onnx.${op.name}` : op.name;
      if (op.judge !== undefined) {
        // A level, a class or a run follows from a comparison: one unit before it is a whole class after it.
        const wrong = op.judge(call as never, outputs);
        if (wrong !== undefined) throw new Error(`${name}: ${wrong}`);
        add(name, modeOf(args.options), 'reference');
        continue;
      }
      const expected = expectation(op, args, call).exact;
      const ulp = outputs.reduce((worst, got, k) => {
        const { type } = call.outputs[k]!;
        const want = expected[k] === undefined ? undefined : asStored(type, expected[k], op.family(args));
        return want === undefined ? worst : Math.max(worst, worstUlp(unitOf(type), numbers(type, got), want));
      }, 0);
      add(name, modeOf(args.options), 'reference', ulp);
    }
  }
  return [...rows.values()].sort((a, b) => (`${a.operator} ${a.mode}` < `${b.operator} ${b.mode}` ? -1 : 1));
}

/** Integers of 64 bits are resized in float64, and counted in its units. */
const unitOf = (type: DataType): DataType => (/int64$/.test(type) ? 'float64' : type);

/** The reference's answer as numbers of the result's type. */
function asStored(type: DataType, exact: TypedArray, family: string): Float64Array {
  if (family === 'exact') return numbers(type, exact);
  const stored = allocate('parity', type, [exact.length]).data;
  const write = writer(type, stored);
  for (const [i, v] of (exact as Float64Array).entries()) write(i, v);
  return numbers(type, stored);
}
