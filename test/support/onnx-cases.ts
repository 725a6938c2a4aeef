/** ONNX's node tests by operator name. */
import * as onnx from '../../src/onnx.js';
import type { Tensor, TensorLike } from '../../src/tensor.js';
import { type ConformanceCase, readTensor } from './conformance.js';

type Operator = (
  inputs: readonly (TensorLike | undefined)[],
  attributes: Record<string, unknown>,
  options: { opset?: number; outputs?: number },
) => Tensor[];

const OPERATORS: Readonly<Record<string, Operator>> = {
  AveragePool: onnx.averagePoolSync,
  Conv: onnx.convSync,
  ConvTranspose: onnx.convTransposeSync,
  MaxPool: onnx.maxPoolSync,
  MaxUnpool: onnx.maxUnpoolSync,
  Resize: onnx.resizeSync,
  Upsample: onnx.upsampleSync,
  DepthToSpace: onnx.depthToSpaceSync as unknown as Operator,
  GridSample: onnx.gridSampleSync,
  SpaceToDepth: onnx.spaceToDepthSync as unknown as Operator,
};

/** Runs a node test at its own operator set; results in the order of `expected`. */
export function runOnnxCase(c: ConformanceCase): Tensor[] {
  const run = OPERATORS[c.op];
  if (run === undefined) throw new Error(`no operator for ${c.op}`);
  const inputs = [...c.inputs].map((t) => (t === null ? undefined : readTensor(t)));
  // A case taken out of a converted graph carries the version of the graph, not that of the operator.
  const own = c.opset !== undefined && c.graph === undefined;
  return run(inputs, c.attributes ?? {}, {
    ...(own ? { opset: c.opset! } : {}),
    ...(c.expected.length > 1 ? { outputs: c.expected.length } : {}),
  });
}
