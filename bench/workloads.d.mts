/** Types of workloads.mjs, for the tests. */
export interface Workload {
  readonly id: string;
  readonly op: string;
  readonly group: string;
  readonly title: string;
  readonly type: 'float32' | 'uint8';
  readonly layout: 'nchw' | 'nhwc';
  readonly input: readonly number[];
  readonly weight?: readonly number[];
  readonly output: readonly number[];
  readonly options: Readonly<Record<string, number & string & readonly number[]>>;
}
export const workloads: readonly Workload[];
export function costOf(w: Workload): {
  readonly bytes: { readonly read: number; readonly write: number };
  readonly flops: number;
};
