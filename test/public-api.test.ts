/** What each entry point exports, by name. A new export adds its line; a lost one fails. */
import { describe, expect, it } from 'vitest';
import * as root from '../src/index.js';
import * as reference from '../src/reference.js';

/** One name per line, sorted. */
const ROOT = [
  'ArgumentError',
  'StreamError',
  'adaptiveAvgPool1d',
  'adaptiveAvgPool1dSync',
  'adaptiveAvgPool2d',
  'adaptiveAvgPool2dSync',
  'adaptiveAvgPool3d',
  'adaptiveAvgPool3dSync',
  'adaptiveMaxPool1d',
  'adaptiveMaxPool1dSync',
  'adaptiveMaxPool1dWithIndices',
  'adaptiveMaxPool1dWithIndicesSync',
  'adaptiveMaxPool2d',
  'adaptiveMaxPool2dSync',
  'adaptiveMaxPool2dWithIndices',
  'adaptiveMaxPool2dWithIndicesSync',
  'adaptiveMaxPool3d',
  'adaptiveMaxPool3dSync',
  'adaptiveMaxPool3dWithIndices',
  'adaptiveMaxPool3dWithIndicesSync',
  'analyzeCheckerboard',
  'appendBoxFilter',
  'avgPool1d',
  'avgPool1dSync',
  'avgPool2d',
  'avgPool2dSync',
  'avgPool3d',
  'avgPool3dSync',
  'bilinearWeights',
  'checkerboardRemedies',
  'conv1d',
  'conv1dSync',
  'conv2d',
  'conv2dSync',
  'conv3d',
  'conv3dSync',
  'convTranspose1d',
  'convTranspose1dSync',
  'convTranspose2d',
  'convTranspose2dSync',
  'convTranspose3d',
  'convTranspose3dSync',
  'convertIndices',
  'equalizePhaseGain',
  'gridSample',
  'gridSampleSync',
  'icnr',
  'interpolate',
  'interpolateArgmax',
  'interpolateArgmaxSync',
  'interpolateQuantize',
  'interpolateQuantizeSync',
  'interpolateSoftmax',
  'interpolateSoftmaxSync',
  'interpolateSync',
  'interpolateThreshold',
  'interpolateThresholdSync',
  'maxPool1d',
  'maxPool1dSync',
  'maxPool1dWithIndices',
  'maxPool1dWithIndicesSync',
  'maxPool2d',
  'maxPool2dSync',
  'maxPool2dWithIndices',
  'maxPool2dWithIndicesSync',
  'maxPool3d',
  'maxPool3dSync',
  'maxPool3dWithIndices',
  'maxPool3dWithIndicesSync',
  'maxUnpool1d',
  'maxUnpool1dSync',
  'maxUnpool2d',
  'maxUnpool2dSync',
  'maxUnpool3d',
  'maxUnpool3dSync',
  'measureCheckerboard',
  'nextEvenKernel',
  'outputDims',
  'pixelShuffle',
  'pixelShuffleSync',
  'pixelUnshuffle',
  'pixelUnshuffleSync',
  'prepareConv2d',
  'prepareConvTranspose2d',
  'prepareResizeConv2d',
  'projectIcnr',
  'resizeConv2d',
  'resizeConv2dSync',
  'runtime',
  'stream',
  'tensorPool',
  'toResizeConv',
];

/** What needs no backend, or only the native one. */
const NOT_REFERENCE = [
  'ArgumentError',
  'StreamError',
  'analyzeCheckerboard',
  'appendBoxFilter',
  'bilinearWeights',
  'checkerboardRemedies',
  'convertIndices',
  'equalizePhaseGain',
  'icnr',
  'measureCheckerboard',
  'nextEvenKernel',
  'outputDims',
  'prepareConv2d',
  'prepareConvTranspose2d',
  'prepareResizeConv2d',
  'projectIcnr',
  'runtime',
  'stream',
  'tensorPool',
  'toResizeConv',
];
const REFERENCE = ROOT.filter((name) => !NOT_REFERENCE.includes(name));

/** One name per line, sorted. */
const ONNX: string[] = [
  'averagePool',
  'averagePoolSync',
  'conv',
  'convSync',
  'convTranspose',
  'convTransposeSync',
  'depthToSpace',
  'depthToSpaceSync',
  'gridSample',
  'gridSampleSync',
  'maxPool',
  'maxPoolSync',
  'maxUnpool',
  'maxUnpoolSync',
  'outputDims',
  'resize',
  'resizeSync',
  'spaceToDepth',
  'spaceToDepthSync',
  'upsample',
  'upsampleSync',
];

/** Exports that are objects. */
const OBJECTS = ['outputDims', 'runtime'];

describe('entry points', () => {
  it('upsampling exports its names', () => expect(Object.keys(root).sort()).toEqual(ROOT));
  it('upsampling/reference exports its names', () =>
    expect(Object.keys(reference).sort()).toEqual(REFERENCE));
  it('upsampling/onnx exports its names', async () => {
    const path = '../src/onnx.js';
    expect(Object.keys((await import(path)) as object).sort()).toEqual(ONNX);
  });
  it('everything but settings is callable', () => {
    for (const [name, value] of Object.entries(root))
      expect(typeof value, name).toBe(OBJECTS.includes(name) ? 'object' : 'function');
    for (const [name, value] of Object.entries(reference)) expect(typeof value, name).toBe('function');
  });
  it('every operator is there asynchronous and blocking', () => {
    for (const names of [ROOT, REFERENCE, ONNX])
      for (const name of names) if (name.endsWith('Sync')) expect(names, name).toContain(name.slice(0, -4));
    for (const name of NOT_REFERENCE) expect(ROOT).toContain(name);
  });
  it('exports of the package lead to these files', async () => {
    const { default: manifest } = await import('../package.json', { with: { type: 'json' } });
    const entries = Object.entries(manifest.exports as Record<string, unknown>);
    expect(entries.map(([k]) => k)).toEqual(['.', './onnx', './reference', './package.json']);
  });
});
