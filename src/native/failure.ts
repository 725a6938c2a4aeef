/** How a backend reports what only the data could show; execute.ts words it for the caller. */
export class BackendFailure extends Error {
  /** 'index': an element of an index tensor is out of range; `detail` is its position. */
  readonly kind: 'memory' | 'index';
  readonly detail: number;

  constructor(kind: 'memory' | 'index', detail: number) {
    super(`backend failure: ${kind} ${detail}`);
    this.kind = kind;
    this.detail = detail;
  }
}
