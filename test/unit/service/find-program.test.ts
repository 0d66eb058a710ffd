import { expect, test } from '@jest/globals';
import { findProgram, withoutRelative } from '../../../service/find-program.ts';

test.each([
  ['sh', '/bin', '/bin/sh'],
  ['sh', ':.:bin:/bin', '/bin/sh'],
  ['sh', undefined, undefined],
  ['/bin/sh', undefined, '/bin/sh'],
  ['/bin/nothing', '/bin', undefined],
])('the program %s on the PATH %s is %s', (name, searched, found) => {
  expect(findProgram(name, { searched })).toBe(found);
});

test('a PATH without the working directory has absolute paths only', () => {
  expect(withoutRelative(':/bin:.:./node_modules/.bin:/usr/bin:')).toBe('/bin:/usr/bin');
});
