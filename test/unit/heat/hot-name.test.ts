import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hotFileName, whyNotActedOn } from '../../../heat/hot-name.ts';
import { anyText } from '../../parts/any-text.ts';
import { runs } from '../../parts/full.ts';

describe('the name of an item', () => {
  test.each([
    '4711',
    '红色',
    'a b',
    'a.b',
    '.',
    '..',
    '...',
    'none',
    'i.none',
    '--',
    '%2F',
    '\\',
    '"',
    'x'.repeat(200),
  ])('allows actions: %j', (item) => {
    expect(whyNotActedOn(item)).toBeUndefined();
    expect(hotFileName(item)).toBe(`i.${item}`);
  });

  test.each([
    ['', 'it has no name'],
    ['-', 'it stands for the pages without an item'],
    ['/nothing', 'its name holds a slash'],
    ['../../etc/passwd', 'its name holds a slash'],
    ['a\nb', 'its name holds a control character'],
    ['a\n', 'its name holds a control character'],
    ['\0', 'its name holds a control character'],
    ['\x7f', 'its name holds a control character'],
    ['caf\ufffd', 'its name is not UTF-8'],
    ['\ud800', 'its name is not UTF-8'],
    ['x'.repeat(201), 'its name has 201 bytes, more than 200'],
    ['红'.repeat(67), 'its name has 201 bytes, more than 200'],
  ])('is reported as impossible, with the reason: %j', (item, why) => {
    expect(whyNotActedOn(item)).toBe(`cannot be acted on: ${why}`);
  });

  test('allows actions exactly if nginx would find it', () => {
    const bytes = anyText({ maxLength: 210 });
    const short = fc.string({
      unit: fc.constantFrom('a', '-', '.', '/', '\n', '\x7f', '\x1f', ' ', '红'),
      maxLength: 4,
    });
    const long = fc.integer({ min: 195, max: 205 }).map((length) => 'x'.repeat(length));
    fc.assert(
      fc.property(fc.oneof(bytes, short, long), (item) => {
        fc.pre(!item.includes('\ufffd') && item.isWellFormed());
        expect(whyNotActedOn(item) === undefined).toBe(nginxLooksFor(item));
      }),
      { numRuns: runs(2_000) },
    );
  });
});

/** By the map in the include, as PCRE reads it: by bytes. */
function nginxLooksFor(item: string): boolean {
  const text = readFileSync(join(import.meta.dirname, '../../../nginx/http-hot.conf'), 'utf8');
  const [, lines = ''] =
    /map \$hotitem_item \$hotitem_file \{([^}]*)\n\}/.exec(text.replace('{1,200}', '<200>')) ?? [];
  const [, pattern = ''] = /"~([^"]+)"/.exec(lines) ?? [];
  const none = [...lines.matchAll(/^\s*"([^"~]*)"\s+none;$/gm)].map(([, key]) => key);
  if (pattern === '' || none.length === 0) throw new Error('http-hot.conf has another map');
  const regexp = new RegExp(pattern.replace('<200>', '{1,200}').replace('\\z', '$'));
  return !none.includes(item) && regexp.test(Buffer.from(item).toString('latin1'));
}
