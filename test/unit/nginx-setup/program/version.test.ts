import { expect, test } from '@jest/globals';
import { compareVersions } from '../../../../nginx-setup/program/version.ts';

test.each([
  ['0.7.9', '0.8.1', -1],
  ['0.8.10', '0.8.9', 1],
  ['1.0.0', '0.9.9', 1],
  ['0.8.1', '0.8.1', 0],
  ['1.0', '1.0.0', 0],
])('%s compared with %s', (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign);
});
