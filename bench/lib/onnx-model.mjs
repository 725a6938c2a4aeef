/** Writes a small ONNX model as protobuf: just what one-operator graphs need (onnx.proto, IR version 9). */
const text = new TextEncoder();

function varint(v) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(v));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
}
const integer = (field, v) => [...varint(field * 8), ...varint(v)];
const block = (field, bytes) => [Uint8Array.from([...varint(field * 8 + 2), ...varint(bytes.length)]), bytes];
const join = (parts) => Buffer.concat(parts.map((p) => (p instanceof Uint8Array ? p : Uint8Array.from(p))));
const string = (field, s) => block(field, text.encode(s));

export const ONNX_TYPE = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
};

function attribute(name, v) {
  if (typeof v === 'string') return join([...string(1, name), ...string(4, v), integer(20, 3)]);
  if (Array.isArray(v)) return join([...string(1, name), ...v.map((x) => integer(8, x)), integer(20, 7)]);
  if (typeof v === 'object') {
    const f = new Uint8Array(Float32Array.of(v.float).buffer);
    return join([...string(1, name), [0x15], f, integer(20, 1)]);
  }
  return join([...string(1, name), integer(3, v), integer(20, 2)]);
}

/** { float: x } marks a float attribute; numbers are integers. */
export function node(type, inputs, outputs, attributes = {}) {
  return join([
    ...inputs.flatMap((i) => string(1, i)),
    ...outputs.flatMap((o) => string(2, o)),
    ...string(4, type),
    ...Object.entries(attributes).flatMap(([k, v]) => block(5, attribute(k, v))),
  ]);
}

export function initializer(name, type, dims, data) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return join([
    ...dims.map((d) => integer(1, d)),
    integer(2, ONNX_TYPE[type]),
    ...string(8, name),
    ...block(9, bytes),
  ]);
}

function valueInfo({ name, type, dims }) {
  const shape = join(dims.flatMap((d) => block(1, join([integer(1, d)]))));
  const tensor = join([integer(1, ONNX_TYPE[type]), ...block(2, shape)]);
  return join([...string(1, name), ...block(2, join(block(1, tensor)))]);
}

/** The bytes of a model; inputs and outputs are { name, type, dims }. */
export function model({ nodes, initializers = [], inputs, outputs, opset = 19 }) {
  const graph = join([
    ...nodes.flatMap((n) => block(1, n)),
    ...string(2, 'graph'),
    ...initializers.flatMap((t) => block(5, t)),
    ...inputs.flatMap((i) => block(11, valueInfo(i))),
    ...outputs.flatMap((o) => block(12, valueInfo(o))),
  ]);
  return join([
    integer(1, 9),
    ...string(2, 'upsampling'),
    ...block(7, graph),
    ...block(8, join([...string(1, ''), integer(2, opset)])),
  ]);
}
