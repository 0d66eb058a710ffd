import { describe } from '@jest/globals';
import { type PartName, type SuiteOptions, whatIsMissing } from './missing.ts';
import { record } from './record.ts';

/**
 * jest's `describe` for tests that need real parts. If one of them is not available, the suite is skipped, with the reason in its
 * name and in the closing table; with `CI=true` it runs, and fails.
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
