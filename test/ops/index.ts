/** Every operator under test. The generic tests need no other edit for a new one. */
import type { Operator } from '../support/operator.js';
import interpolate from './interpolate.js';

export const operators: readonly Operator[] = [interpolate] as unknown as Operator[];
