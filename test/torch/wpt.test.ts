/** Every WebNN conformance vector of web-platform-tests and webnn-baseline, at its own tolerance. */
import { describe, expect, it } from 'vitest';
import { conformanceCases, conformanceFolder, mismatch } from '../support/conformance.js';
import { runWebnnCase } from '../support/webnn.js';

if (conformanceFolder === undefined)
  it('WebNN conformance: ../shared/conformance is not here, its cases were not run', () =>
    expect(conformanceFolder).toBeUndefined());
else
  describe.each(conformanceCases('wpt').map((f) => [f.file, f.cases] as const))('%s', (_, cases) => {
    it.each(cases.map((c, i) => [`${i}: ${c.name}`, c] as const))('%s', (_, c) => {
      expect(mismatch(runWebnnCase(c).output, c.expected[0]!, c)).toBeUndefined();
    });
  });
