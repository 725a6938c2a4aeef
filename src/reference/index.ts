/** The reference backend: slow, exact, and in another form than the kernels. */
import type { Backend } from '../backend.js';
import { interpolate } from './interpolate.js';

export const reference: Backend = { interpolate };
