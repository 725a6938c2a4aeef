/** Events for those who watch a server: one for each operator that has run, on the channel `upsampling:op`. */
import { channel } from 'node:diagnostics_channel';
import { addon } from './native/addon.js';

/** What is published on `diagnostics_channel.channel('upsampling:op')` when an operator has run. */
export interface OperationEvent {
  /** The public name of the operator. */
  readonly op: string;
  /** Dims of the (first) result. */
  readonly dims: readonly number[];
  /** Threads that the call was allowed to use. */
  readonly threads: number;
  /** The instruction set. */
  readonly isa: string;
  /** Milliseconds between the call and its start; 0 for synchronous calls. */
  readonly queuedMs: number;
  /** Milliseconds from start to end. */
  readonly runMs: number;
  /** Bytes of all inputs and outputs. */
  readonly bytes: number;
}

interface Sized {
  readonly byteLength: number;
}

/** Without subscribers nothing is built and no time is taken. */
export const operations = channel('upsampling:op');

export function publish(
  call: { readonly op: string; readonly outputs: readonly { readonly dims: readonly number[] }[] },
  arrays: readonly Sized[],
  threads: number,
  queuedMs: number,
  runMs: number,
): void {
  const event: OperationEvent = {
    op: call.op,
    dims: call.outputs[0]!.dims,
    threads: threads === 0 ? addon().threads() : threads,
    isa: addon().isa(),
    queuedMs,
    runMs,
    bytes: arrays.reduce((n, a) => n + a.byteLength, 0),
  };
  operations.publish(event);
}
