/** tfjs on WebAssembly: nhwc and float32 only, one thread under Node; tensors stay in its own heap. */
import { dirname, join } from 'node:path';
import { values } from '../lib/inputs.mjs';

let tf;

export async function init({ load, resolve }) {
  tf = load('@tensorflow/tfjs');
  const wasm = load('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${join(dirname(resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist')}/`);
  if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend did not start');
  await tf.ready();
  return { version: tf.version.tfjs, note: 'wasm, 1 thread', threads: 1 };
}

export async function prepare(w) {
  if (w.layout !== 'nhwc' || w.type !== 'float32') throw new Error('has nhwc float32 only');
  const o = w.options;
  const x = tf.tensor4d(values('float32', w.input, 1), w.input);
  let run;
  if (w.op === 'interpolate' && o.mode === 'nearest')
    run = () => tf.image.resizeNearestNeighbor(x, o.size, false, false);
  else if (w.op === 'interpolate' && o.mode === 'bilinear' && !o.antialias)
    run = () => tf.image.resizeBilinear(x, o.size, false, true);
  else if (w.op === 'maxPool2d')
    run = () => tf.maxPool(x, o.kernelSize, o.stride, o.padding, o.padding ? 'floor' : undefined);
  else throw new Error('has no such operator');
  let last;
  return [
    {
      name: 'resident',
      run: () => {
        last?.dispose();
        last = run();
      },
      get: () => last.dataSync(),
    },
  ];
}
