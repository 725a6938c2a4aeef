/** Types of onnx-model.mjs, for the tests. */
export interface ValueInfo {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly number[];
}
export type Attribute = string | number | readonly number[] | { readonly float: number };

export function node(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes?: Readonly<Record<string, Attribute>>,
): Uint8Array;
export function initializer(
  name: string,
  type: string,
  dims: readonly number[],
  data: ArrayBufferView,
): Uint8Array;
export function model(graph: {
  readonly nodes: readonly Uint8Array[];
  readonly initializers?: readonly Uint8Array[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly opset?: number;
}): Uint8Array;
