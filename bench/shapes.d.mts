/** Types of shapes.mjs, for the tests. */
import type { Workload } from './workloads.mjs';

export const shapes: readonly Workload[];
