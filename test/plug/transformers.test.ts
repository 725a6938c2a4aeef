/**
 * Beside @huggingface/transformers: its Tensor goes in and ours come back, and one call of ours stands for its post-processing of
 * segmentations, masks and depth. Compared value by value; where the values differ it is said how, and why.
 */
import {
  DepthEstimationPipeline,
  interpolate as interpolate3d,
  interpolate_4d as interpolate4d,
  RawImage,
  SamImageProcessor,
  SegformerImageProcessor,
  Tensor,
} from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import {
  interpolate,
  interpolateArgmax,
  interpolateQuantize,
  interpolateThreshold,
  type Tensor as Ours,
} from '../../src/index.js';
import { makeTensor } from '../support/tensors.js';

const floats = (dims: number[], seed = 1) =>
  new Tensor('float32', makeTensor({ type: 'float32', dims, seed }).data as Float32Array, dims);
/** A result of ours as one of theirs: no copy. */
const theirTensor = (t: Ours) => new Tensor(t.type, t.data as Float32Array, t.dims);

function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
}
const plain = (t: { readonly data: unknown }) => t.data as Float32Array;

describe('its Tensor', () => {
  it('goes in and comes back', async () => {
    const x = floats([1, 3, 5, 7]);
    const back = theirTensor(await interpolate(x, { size: [10, 14], mode: 'bilinear' }));
    expect(back.dims).toEqual([1, 3, 10, 14]);
    expect(apart(plain(back), plain(await interpolate4d(x, { size: [10, 14] })))).toBeLessThan(1e-6);
    // One image of the batch, as its pipelines take them: a view of the same memory.
    const image = (x as unknown as Tensor[])[0]!;
    expect((await interpolate(image, { size: [10, 14], mode: 'bilinear' })).dims).toEqual([3, 10, 14]);
  });

  const modes = [
    ['bilinear', 'bilinear', 1e-6],
    ['bicubic', 'bicubic', 4e-6],
    ['nearest', 'nearest-exact', 0],
  ] as const;
  for (const size of [
    [11, 13],
    [20, 36],
    [4, 5],
  ] as const)
    it.each(modes)(`interpolate_4d %s onto ${size.join('×')} is our %s`, async (theirs, mode, bound) => {
      const x = floats([2, 3, 7, 9], 2);
      const there = await interpolate4d(x, { size: [...size], mode: theirs });
      const here = await interpolate(x, { size, mode });
      expect(here.dims).toEqual(there.dims);
      expect(apart(plain(here), plain(there))).toBeLessThanOrEqual(bound);
    });

  it('interpolate is bilinear between pixel centres, whatever its mode and align_corners say', async () => {
    const x = floats([3, 7, 9], 3);
    const here = await interpolate(x, { size: [15, 20], mode: 'bilinear' });
    for (const [mode, corners] of [
      ['bilinear', false],
      ['bicubic', true],
    ] as const)
      expect(apart(plain(here), plain(interpolate3d(x, [15, 20], mode, corners)))).toBeLessThan(1e-6);
  });
});

describe('post_process_semantic_segmentation', () => {
  const processor = new SegformerImageProcessor({});
  type Segmentation = { segmentation: { data: Int32Array; dims: number[] }; labels: number[] };
  const theirs = (logits: Tensor, sizes?: [number, number][]) =>
    processor.post_process_semantic_segmentation(
      { logits } as never,
      sizes as never,
    ) as unknown as Segmentation[];

  /** The drop-in: every image its own size, nothing of full size but the maps. */
  async function ours(logits: Tensor, sizes?: [number, number][]): Promise<Segmentation[]> {
    const own = logits.dims.slice(-2) as [number, number];
    const targets = logits.dims.slice(0, 1).flatMap((n) => Array.from({ length: n }, (_, i) => i));
    const maps = await interpolateArgmax(logits, {
      targets: targets.map((i) => ({ size: sizes?.[i] ?? own })),
      mode: 'bilinear',
      classType: 'int32',
    });
    return maps.map((m) => {
      const segmentation = { data: m.data as Int32Array, dims: m.dims };
      return { segmentation, labels: [...new Set(segmentation.data)].sort((a, b) => a - b) };
    });
  }

  it.each([
    [
      'sizes of their own',
      [2, 19, 16, 24],
      [
        [61, 97],
        [40, 30],
      ],
    ],
    ['150 classes', [1, 150, 16, 16], [[135, 240]]],
    ['shrinking', [1, 19, 30, 40], [[7, 9]]],
    ['no sizes', [2, 5, 9, 11], undefined],
  ] as [string, number[], [number, number][] | undefined][])('%s', async (_, dims, sizes) => {
    const logits = floats(dims, 4);
    const copy = logits.clone();
    const here = await ours(logits, sizes);
    expect(plain(logits), 'ours leaves the logits as they are').toEqual(plain(copy));
    // Theirs is computed in float64 and rounded to float32; it also overwrites the logits of class 0 when no size is given.
    const there = theirs(copy, sizes);
    for (const [i, { segmentation, labels }] of there.entries()) {
      expect(here[i]!.segmentation.dims).toEqual(segmentation.dims);
      const [a, b] = [here[i]!.segmentation.data, segmentation.data];
      const differing = a.reduce((n, v, p) => n + Number(v !== b[p]), 0);
      // Only exact ties of rounded values could differ; among random logits of these seeds there is none.
      expect(differing).toBe(0);
      expect(here[i]!.labels).toEqual(labels);
    }
  });

  it('NaN: theirs keeps class 0 where its score is NaN, ours takes the best number', async () => {
    const logits = new Tensor('float32', Float32Array.of(NaN, 1, 2, 3), [1, 2, 1, 2]);
    expect([...(await ours(logits))[0]!.segmentation.data]).toEqual([1, 1]);
    expect([...theirs(logits)[0]!.segmentation.data]).toEqual([0, 1]);
  });
});

describe('post_process_masks of SAM', () => {
  const padded = 96;
  const processor = new SamImageProcessor({
    size: { longest_edge: padded },
    pad_size: { height: padded, width: padded },
  } as never);
  const masks = floats([1, 3, 24, 24], 5);
  const original: [number, number] = [50, 75];
  const reshaped: [number, number] = [64, 96];
  const binarized = async () =>
    (
      (await processor.post_process_masks(
        [masks] as never,
        [original] as never,
        [reshaped] as never,
      )) as Tensor[]
    )[0]!;

  it('its two resizes, one after the other', async () => {
    const wide = theirTensor(await interpolate(masks, { size: padded, mode: 'bilinear' }));
    const shown = wide.slice(null, null, [0, reshaped[0]], [0, reshaped[1]]) as Tensor;
    const ours = await interpolateThreshold(shown, { size: original, mode: 'bilinear' });
    const theirs = await binarized();
    expect(theirs.type).toBe('bool');
    expect(ours.dims).toEqual(theirs.dims);
    expect(ours.data).toEqual(theirs.data);
  });

  it('in one resize with a fractional crop: other pixels only where the mask ends', async () => {
    // The padding is undone in the coordinates of the 24×24 mask: rows 0 to 16, columns 0 to 24.
    const crop = [0, 0, (24 * reshaped[0]) / padded, (24 * reshaped[1]) / padded];
    const options = { size: original, mode: 'bilinear', crop } as const;
    const ours = await interpolateThreshold(masks, options);
    const theirs = plain(await binarized());
    // Theirs has been through bilinear twice, which shaves peaks: a pixel may differ only where the value is near the threshold.
    const values = plain(await interpolateQuantize(masks, { ...options, to: 'uint16', range: [-1, 1] }));
    let differing = 0;
    for (const [i, v] of ours.data.entries())
      if (Number(v) !== theirs[i]) {
        differing++;
        expect(Math.abs(values[i]! / 32767.5 - 1)).toBeLessThan(0.12);
      }
    expect(differing / theirs.length).toBeLessThan(0.04);
  });
});

describe('the depth pipeline', () => {
  it('minmax to 8 bits: theirs cuts the fraction off, ours rounds', async () => {
    const depth = floats([1, 24, 32], 6);
    const image = new RawImage(new Uint8ClampedArray(61 * 45 * 3), 61, 45, 3);
    // The pipeline itself, with a model that answers with the map above.
    const pipeline = new DepthEstimationPipeline({
      task: 'depth-estimation',
      model: (async () => ({ predicted_depth: depth })) as never,
      processor: (async () => ({})) as never,
    } as never);
    const theirs = (await (pipeline as unknown as { _call(i: RawImage): Promise<unknown> })._call(image)) as {
      predicted_depth: Tensor;
      depth: RawImage;
    };
    const map = depth.view(1, 1, 24, 32);
    const size = [45, 61];
    const resized = await interpolate(map, { size, mode: 'bilinear' });
    expect(theirs.predicted_depth.dims).toEqual(size);
    expect(apart(plain(resized), plain(theirs.predicted_depth))).toBeLessThan(4e-6);

    const ours = await interpolateQuantize(map, { size, mode: 'bilinear' });
    const values = plain(theirs.predicted_depth);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    for (const [i, v] of ours.data.entries()) {
      const exact = ((values[i]! - low) / (high - low)) * 255;
      expect(Math.abs(Number(v) - exact)).toBeLessThan(0.5 + 1e-3);
      expect(Math.abs(theirs.depth.data[i]! - (exact - 0.5))).toBeLessThan(0.5 + 1e-3);
    }
  });
});
