import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { afterTear } from '../../../event/torn-line.ts';
import { line, lineOfVersion1 } from './lines.ts';

const lineOf = (changes: Parameters<typeof line>[0] & { version: string }) =>
  changes.version.startsWith('1') ? lineOfVersion1(changes) : line(changes);

const version = fc.constantFrom('1', '1/2', '1/16', '1/10000', '2', '2/16');
/** Fields that a shopper chooses, none of which holds a tab, with much in them that looks like the start of a line. */
const hostile = fc
  .array(fc.constantFrom('1', '1/16', '/', '1795355712.163', 'a'.repeat(32), 'x', ' '))
  .map((parts) => parts.join(''));

describe('a line that was torn by a full disk', () => {
  test('ends where the next one begins, torn anywhere before the user agent', () => {
    fc.assert(
      fc.property(version, hostile, hostile, fc.nat(), (version, uri, ref, at) => {
        const torn = lineOf({ version, uri: `/${uri}`, ref, ua: '' });
        const kept = torn.slice(0, version.length + 1 + (at % (torn.length - version.length - 1)));
        expect(afterTear(kept + lineOf({ version }))).toBe(kept.length);
      }),
    );
  });

  test('cannot be faked in the user agent', () => {
    fc.assert(
      fc.property(version, hostile, hostile, (version, uri, ref) => {
        const whole = lineOf({ version, uri: `/${uri}`, ref, ua: `x${lineOf({ version })}` });
        expect(afterTear(whole)).toBe(-1);
      }),
    );
  });

  test.each(['', 'nonsense', '1', '1\t', '\t\t\t'])('is not %j', (text) => {
    expect(afterTear(text)).toBe(-1);
  });
});
