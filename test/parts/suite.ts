import { describe } from '@jest/globals';
import { type PartName, type SuiteOptions, whatIsMissing } from './missing.ts';
import { record } from './record.ts';

/**
 * jest's `describe` for tests that need real parts. Where one of them cannot be had the suite is skipped, under a name
 * that says why and noted for the closing table; under `CI=true` it runs, and fails.
 */
export function suiteWith(
  parts: PartName[],
  options: SuiteOptions = {},
): (name: string, tests: () => void) => void {
  const missing = parts.map((part) => whatIsMissing(part, options)).filter((reason) => reason !== undefined);
  if (missing.length === 0 || process.env.CI === 'true') return describe;
  return (name, tests) => {
    record(`skipped: ${name} (${missing.join('; ')})`);
    describe.skip(`${name} (skipped: ${missing.join('; ')})`, tests);
  };
}
