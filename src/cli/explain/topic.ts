/** What `explain` can explain: one entry per operator in explain.ts. */
import type { Values } from '../command.js';

export interface Topic {
  readonly summary: string;
  /** The options of `explain` that it reads. */
  readonly options: readonly string[];
  /** The text. Every number in it comes from the reference backend. */
  readonly text: (values: Values) => string | Promise<string>;
}
