/** Matrices as text, side by side. */
import type { TensorLike } from '../../index.js';

/** A picture in text: a title over rows of cells. */
export interface Panel {
  readonly title: string;
  readonly cells: readonly (readonly string[])[];
}

/** A number as it is read best: up to six decimals, none that say nothing. */
export const show = (v: number): string => {
  const s = String(Number(v.toFixed(6)));
  return s === '-0' ? '0' : s;
};

/** An (H, W) plane of numbers as cells. */
export function cells(rows: readonly (readonly number[])[]): string[][] {
  return rows.map((row) => row.map(show));
}

/** The rows of the last two axes of a tensor with one plane. */
export function rowsOf(t: TensorLike): number[][] {
  const [height, width] = t.dims.slice(-2) as [number, number];
  const data = Array.from(t.data as Float32Array, Number);
  return Array.from({ length: height }, (_, y) => data.slice(y * width, (y + 1) * width));
}

/** Rows of numbers as a float32 tensor (1, 1, H, W). */
export function planeOf(
  rows: readonly (readonly number[])[],
): TensorLike & { dims: number[]; data: Float32Array } {
  return { data: Float32Array.from(rows.flat()), dims: [1, 1, rows.length, rows[0]!.length] };
}

function lines(panel: Panel): string[] {
  const width = Math.max(0, ...panel.cells.flat().map((c) => c.length));
  const body = panel.cells.map((row) => row.map((c) => c.padStart(width)).join(' '));
  const widest = Math.max(panel.title.length, ...body.map((l) => l.length));
  return [panel.title, ...body].map((l) => l.padEnd(widest));
}

/** Panels beside each other, broken into several bands where a line would pass `columns`. */
export function sideBySide(panels: readonly Panel[], columns = 110): string {
  const bands: string[][] = [];
  let band: string[][] = [];
  let width = 0;
  const flush = () => {
    if (band.length === 0) return;
    const height = Math.max(...band.map((p) => p.length));
    bands.push(
      Array.from({ length: height }, (_, i) =>
        band
          .map((p) => p[i] ?? ' '.repeat(p[0]!.length))
          .join('    ')
          .trimEnd(),
      ),
    );
    band = [];
    width = 0;
  };
  for (const panel of panels) {
    const l = lines(panel);
    if (band.length > 0 && width + l[0]!.length + 4 > columns) flush();
    band.push(l);
    width += l[0]!.length + 4;
  }
  flush();
  return `${bands.map((b) => b.join('\n')).join('\n\n')}\n`;
}

/** "1×5×5"-style extents of a matrix. */
export const sizeOf = (rows: readonly (readonly unknown[])[]): string => `${rows.length}×${rows[0]!.length}`;
