/**
 * PNG without a library, for what must come out exactly as it went in: class maps with their palette, grey maps of 8 and
 * 16 bits. Photographs go through images.ts.
 * Source: PNG specification, third edition.
 */
import { deflateSync } from 'node:zlib';

/** One byte (palette, grey) or two (grey) per pixel. */
export interface PngPicture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint16Array;
  /** RGB triples; with it, pixels are numbers of colours. */
  readonly palette?: Uint8Array;
}

export function writePng({ width, height, data, palette }: PngPicture): Uint8Array {
  const depth = data.BYTES_PER_ELEMENT;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8 * depth;
  header[9] = palette === undefined ? 0 : 3;
  // Every row begins with the number of its filter: none for numbers of colours, "up" for grey values.
  const filter = palette === undefined ? 2 : 0;
  const stride = width * depth;
  const rows = Buffer.alloc(height * (stride + 1));
  const raw = Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, width * height * depth);
  const pixels = depth === 2 ? Buffer.from(raw).swap16() : raw;
  for (let y = 0; y < height; y++) {
    const to = y * (stride + 1);
    rows[to] = filter;
    for (let i = 0; i < stride; i++) {
      const above = filter === 2 && y > 0 ? pixels[(y - 1) * stride + i]! : 0;
      rows[to + 1 + i] = pixels[y * stride + i]! - above;
    }
  }
  return Buffer.concat([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 0x1a, 10),
    chunk('IHDR', header),
    ...(palette === undefined ? [] : [chunk('PLTE', palette)]),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(data.length + 12);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(name, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, data.length + 8)), data.length + 8);
  return bytes;
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 as PNG and ZIP use it. */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const b of bytes) c = CRC[(c ^ b) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** The colours of PASCAL VOC: the bits of the class number, dealt out to red, green and blue from the top. */
export function classColours(classes: number): Uint8Array {
  const colours = new Uint8Array(3 * classes);
  for (let i = 0; i < classes; i++)
    for (let bit = 0, rest = i; rest > 0; bit++, rest >>= 3)
      for (let c = 0; c < 3; c++) colours[3 * i + c]! |= ((rest >> c) & 1) << (7 - bit);
  return colours;
}
