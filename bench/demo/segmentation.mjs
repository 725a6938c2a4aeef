/** A segmentation: k-means of colours and positions at a quarter of the resolution, put back on the pixels. */

import { classColours } from '../../dist/files/png.js';
import { interpolateArgmaxSync, interpolateSync } from '../../dist/index.js';
import { FACTOR, photograph, timed, toBytes } from './pictures.mjs';

const CLASSES = 6;
/** What a step across the whole picture counts, in steps of brightness. */
const POSITION = 90;

/** A seeded generator (mulberry32), so that everyone sees the same picture. */
function generator(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const distance = (a, b) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0);

/** Lloyd's algorithm from a k-means++ start. */
function kMeans(points, k, random) {
  const centres = [points[Math.floor(random() * points.length)]];
  while (centres.length < k) {
    const far = points.map((p) => Math.min(...centres.map((c) => distance(p, c))));
    let left = random() * far.reduce((a, b) => a + b, 0);
    let next = 0;
    while (next < points.length - 1 && left > far[next]) left -= far[next++];
    centres.push(points[next]);
  }
  for (let round = 0; round < 30; round++) {
    const sums = centres.map((c) => ({ n: 0, sum: c.map(() => 0) }));
    for (const p of points) {
      const own = sums[nearest(p, centres)];
      own.n++;
      for (let i = 0; i < p.length; i++) own.sum[i] += p[i];
    }
    for (const [c, { n, sum }] of sums.entries()) if (n > 0) centres[c] = sum.map((v) => v / n);
  }
  return centres;
}

function nearest(point, centres) {
  const d = centres.map((c) => distance(point, c));
  return d.indexOf(Math.min(...d));
}

export async function section() {
  const x = await photograph();
  const [, , height, width] = x.dims;
  const [h, w] = [height / FACTOR, width / FACTOR];
  const small = interpolateSync(x, { size: [h, w], mode: 'area' });
  const points = Array.from({ length: h * w }, (_, p) => [
    ...[0, 1, 2].map((c) => small.data[c * h * w + p]),
    (Math.floor(p / w) / h) * POSITION,
    ((p % w) / w) * POSITION,
  ]);
  const centres = kMeans(points, CLASSES, generator(5));
  const logits = { data: new Float32Array(CLASSES * h * w), dims: [1, CLASSES, h, w] };
  for (let c = 0; c < CLASSES; c++)
    for (let p = 0; p < h * w; p++) logits.data[c * h * w + p] = -distance(points[p], centres[c]) / 1000;

  const fused = timed(() => interpolateArgmaxSync(logits, { size: [height, width], mode: 'bilinear' }));
  const coarse = timed(() => interpolateArgmaxSync(logits, { size: [height, width], mode: 'nearest' }));
  const colours = classColours(CLASSES + 1);
  const photo = toBytes(x);
  const overlay = (classes, opacity) => ({
    dims: photo.dims,
    data: photo.data.map((v, i) => {
      const colour = colours[3 * (classes[Math.floor(i / 3)] + 1) + (i % 3)];
      return Math.round((1 - opacity) * v + opacity * colour);
    }),
  });
  const counts = new Array(CLASSES).fill(0);
  for (const c of fused.result.data) counts[c]++;
  return {
    id: 'segmentation',
    title: 'Classes back on their pixels',
    text: `Colours and positions of the photograph at ${h}×${w} are clustered into ${CLASSES} classes (k-means). The negative squared distances to the
      centres are what a network's last layer would give: class scores, coarse. interpolateArgmax resizes them and takes the best
      class in one pass; the resized scores are never stored. Pixels per class: ${counts.join(', ')}.`,
    figures: [
      {
        file: 'classes-coarse',
        title: 'Best class first, then nearest',
        caption: 'WHAT without WHERE: decided on the coarse grid.',
        ms: coarse.ms,
        image: overlay(coarse.result.data, 1),
      },
      {
        file: 'classes',
        title: 'interpolateArgmax, bilinear',
        caption: 'The scores are interpolated, then the best class is taken: edges follow the picture.',
        ms: fused.ms,
        image: overlay(fused.result.data, 1),
      },
      {
        file: 'overlay',
        title: 'Overlay',
        caption: 'The same map over the photograph.',
        image: overlay(fused.result.data, 0.45),
      },
    ],
  };
}
