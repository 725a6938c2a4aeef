/**
 * A plan as the addon reads it: one Float64Array of numbers and tables in the order that native/binding/<op>.cc reads
 * them. One array crosses the border in a twentieth of the time an options object takes.
 */

type Table = Int32Array | Float32Array | Float64Array;
export type Field = number | boolean | Table | readonly Field[];

/** Numbers stand as float64; a table stands as its bytes, padded to 8; lists stand as their elements. */
export function pack(fields: readonly Field[]): Float64Array {
  const flat: (number | boolean | Table)[] = [];
  const visit = (f: Field): void => {
    if (typeof f === 'number' || typeof f === 'boolean' || ArrayBuffer.isView(f))
      flat.push(f as number | Table);
    else for (const g of f) visit(g);
  };
  visit(fields);
  const words = flat.reduce<number>(
    (n, f) => n + (typeof f === 'object' ? Math.ceil(f.byteLength / 8) : 1),
    0,
  );
  const out = new Float64Array(words);
  const bytes = new Uint8Array(out.buffer);
  let at = 0;
  for (const f of flat) {
    if (typeof f === 'object') {
      bytes.set(new Uint8Array(f.buffer, f.byteOffset, f.byteLength), at * 8);
      at += Math.ceil(f.byteLength / 8);
    } else out[at++] = Number(f);
  }
  return out;
}
