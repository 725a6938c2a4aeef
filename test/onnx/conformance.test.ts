/** Every node test of ONNX for these operators, at the tolerance of ONNX's own runner. */
import { describe, expect, it } from 'vitest';
import { conformanceCases, conformanceFolder, mismatch } from '../support/conformance.js';
import { runOnnxCase } from '../support/onnx-cases.js';

if (conformanceFolder === undefined)
  it('ONNX conformance: ../shared/conformance is not here, its cases were not run', () =>
    expect(conformanceFolder).toBeUndefined());
else
  describe.each(conformanceCases('onnx').map((f) => [f.file, f.cases] as const))('%s', (_, cases) => {
    it.each(cases.map((c) => [c.name, c] as const))('%s', (_, c) => {
      const results = runOnnxCase(c);
      for (const [i, stored] of c.expected.entries())
        expect(mismatch(results[i]!, stored, c)).toBeUndefined();
    });
  });
