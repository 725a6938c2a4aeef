/** What a call takes beyond its inputs and its result: the peak of a process of its own. */
import { describe, expect, it } from 'vitest';
import { least, succeeds } from '../support/child.js';

/** KiB for each of two threads (Winograd's transforms take the most, 890), and what the process itself may need meanwhile. */
const PER_THREAD = 896;
const PROCESS = 512;

const CALLS: Record<string, string> = {
  nearest: `interpolateSync(planes, { scaleFactor: 2 })`,
  bilinear: `interpolateSync(planes, { scaleFactor: 2, mode: 'bilinear' })`,
  bicubic: `interpolateSync(planes, { scaleFactor: 1.7, mode: 'bicubic' })`,
  area: `interpolateSync(planes, { size: [200, 200], mode: 'area' })`,
  antialiased: `interpolateSync(planes, { size: [200, 200], mode: 'bicubic', antialias: true })`,
  'bilinear, nhwc': `interpolateSync(pixels, { scaleFactor: 2, mode: 'bilinear', layout: 'nhwc' })`,
  'bicubic, nhwc, uint8': `interpolateSync(photo, { scaleFactor: 2, mode: 'bicubic', layout: 'nhwc' })`,
  'antialiased, nhwc, uint8': `interpolateSync(photo, { size: [300, 300], mode: 'bilinear', antialias: true, layout: 'nhwc' })`,
  maxPool2d: `ups.maxPool2dSync(planes, { kernelSize: 3, stride: 2, padding: 1 })`,
  maxPool2dWithIndices: `ups.maxPool2dWithIndicesSync(planes, { kernelSize: 2 })`,
  maxUnpool2d: `ups.maxUnpool2dSync(planes, indices, { kernelSize: 2 })`,
  avgPool2d: `ups.avgPool2dSync(planes, { kernelSize: 3 })`,
  adaptiveAvgPool2d: `ups.adaptiveAvgPool2dSync(planes, { outputSize: [200, 200] })`,
  conv2d: `ups.conv2dSync(planes, tensor(16, 16, 3, 3), { padding: 1 })`,
  'conv2d, 128 channels': `layer.runSync(tensor128)`,
  'conv2d, nhwc': `ups.conv2dSync(pixels, tensor(16, 16, 3, 3), { padding: 1, layout: 'nhwc' })`,
  convTranspose2d: `ups.convTranspose2dSync(planes, tensor(16, 16, 4, 4), { stride: 2, padding: 1 })`,
  'convTranspose2d, depthwise': `ups.convTranspose2dSync(planes, tensor(16, 1, 4, 4), { stride: 2, padding: 1, groups: 16 })`,
  resizeConv2d: `ups.resizeConv2dSync(planes, tensor(16, 16, 3, 3), { scaleFactor: 2, padding: 1 })`,
  pixelShuffle: `ups.pixelShuffleSync(planes, { upscaleFactor: 2 })`,
  pixelUnshuffle: `ups.pixelUnshuffleSync(planes, { downscaleFactor: 2 })`,
  gridSample: `ups.gridSampleSync(planes, grid, {})`,
  interpolateArgmax: `ups.interpolateArgmaxSync(planes, { scaleFactor: 2 })`,
  'interpolateArgmax, nhwc': `ups.interpolateArgmaxSync(pixels, { scaleFactor: 2, layout: 'nhwc' })`,
  interpolateSoftmax: `ups.interpolateSoftmaxSync(planes, { scaleFactor: 2 })`,
  interpolateQuantize: `ups.interpolateQuantizeSync(planes, { size: 1024, range: 'percentile' })`,
  interpolateThreshold: `ups.interpolateThresholdSync(planes, { size: 1024 })`,
};

describe('a call on 16 MB takes beyond inputs and result', () => {
  it.each(Object.keys(CALLS))(
    'a few hundred KiB for each thread: %s',
    (name) => {
      const extra = () =>
        Number(
          succeeds(
            `const { readFileSync, writeFileSync } = await import('node:fs');
        const status = (key) => Number(new RegExp(key + ':\\\\s+(\\\\d+)').exec(readFileSync('/proc/self/status', 'utf8'))[1]);
        const tensor = (...dims) => ({ data: new Float32Array(dims.reduce((a, b) => a * b)).fill(0.5), dims });
        const planes = tensor(1, 16, 512, 512), pixels = tensor(1, 512, 512, 16);
        const photo = { data: new Uint8Array(3 << 20).fill(7), dims: [1, 1024, 1024, 3] };
        const grid = tensor(1, 512, 512, 2);
        const indices = { data: new Int32Array(planes.data.length).map((_, i) => i % (512 * 512)), dims: planes.dims };
        const tensor128 = tensor(1, 128, 192, 192), layer = ups.prepareConv2d(tensor(128, 128, 3, 3), { padding: 1 });
        interpolateSync(tiny, doubled);
        const heap = () => process.memoryUsage().heapTotal / 1024;
        // Until what the engine lets go of has left.
        for (let i = 0; i < 5; i++) { globalThis.gc(); await sleep(10); }
        writeFileSync('/proc/self/clear_refs', '5');
        const file = status('RssFile');
        const resident = status('VmRSS') - heap();
        const y = ${CALLS[name]!};
        // Code that is read in counts for nobody: the system may map 2 MB of the addon's file at the first touch.
        const peak = status('VmHWM') - heap() - (status('RssFile') - file);
        const results = y.indices ? [y.output, y.indices] : Array.isArray(y) ? y : [y];
        console.log(peak - resident - results.reduce((n, t) => n + t.data.byteLength, 0) / 1024);`,
            { node: ['--expose-gc'], env: { UPSAMPLING_THREADS: '2' } },
          ),
        );
      // Where memory is short, the system takes pages away and gives them back meanwhile.
      const most = 2 * PER_THREAD + PROCESS;
      const took = least(5, most, extra);
      expect(took).toBeLessThan(most);
      // Less than nothing: then what was measured was something else.
      expect(took).toBeGreaterThan(-8192);
    },
    60_000,
  );
});
