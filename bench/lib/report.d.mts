/** Types of report.mjs, for the tests. */
export interface Timing {
  readonly engine: string;
  readonly variant: string;
  readonly ms: number;
  readonly least: number;
  readonly most: number;
  readonly correct?: boolean;
  readonly worst?: number;
}
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly threads: number;
  readonly ours?: Timing;
  readonly fresh?: Timing;
  readonly beyond?: number;
  readonly peer?: Timing;
  readonly anyLayout?: Timing;
  readonly wrong: readonly Timing[];
  readonly bound?: { readonly ms: number; readonly by: string };
  readonly cost: { readonly bytes: { readonly read: number; readonly write: number }; readonly flops: number };
}
export interface Run {
  readonly date: string;
  readonly cpu: string;
  readonly node: string;
  readonly versions: Readonly<Record<string, { version: string; note?: string | undefined } | { absent: string }>>;
  readonly rows: readonly Row[];
}

export function markdown(run: Run): string;
export function barChart(rows: readonly Row[]): string;
export function comparison(before: Run, after: Run): string;
export function replaceBlock(text: string, name: string, inside: string): string;
