/** Every input that must be refused is refused with its code and its words, before anything is written. */
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../src/errors.js';
import { operators } from './ops/index.js';

/** What only the package itself calls has no user to warn. */
const refusing = operators.filter((op) => op.errors.length > 0);

describe.each(refusing.map((op) => [op.name, op] as const))('%s', (name, op) => {
  it.each(op.errors.map((e) => [e.name, e] as const))('refuses %s', (_, e) => {
    let thrown: unknown;
    try {
      e.call();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ArgumentError);
    const error = thrown as ArgumentError;
    expect(error.message).toMatch(e.message);
    expect(error.code).toBe(e.code);
    expect(error.message.startsWith(`${name}: `)).toBe(true);
    expect(error.message).not.toContain('\n');
  });
});
