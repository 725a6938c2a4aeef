/** The same words as pixel shuffle; native/binding/pixel-unshuffle.cc reads them. */
export { packPixelShuffle as packPixelUnshuffle } from './pixel-shuffle.js';
