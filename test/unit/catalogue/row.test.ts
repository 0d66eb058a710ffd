import { describe, expect, test } from '@jest/globals';
import { createRowReader } from '../../../catalogue/row.ts';

const read = createRowReader(['img.example.com']);

describe('a row of a catalogue', () => {
  test('is read from text, and from numbers', () => {
    const row = { id: '4711', name: 'Shoe', category: 'Shoes', price: '19.9 EUR', stock: 3 };
    expect(read({ ...row, stock: ' 3 ' })).toMatchObject({ row, imageDropped: false });
    expect(read({ ...row, id: 4711 })).toMatchObject({ row });
    expect(read({ id: 'a', price: 20, stock: 0 })).toMatchObject({ row: { id: 'a', price: '20', stock: 0 } });
    expect(read({ id: ' a ', name: '', category: null, price: ' ', stock: '' })).toMatchObject({
      row: { id: 'a', name: undefined, category: undefined, price: undefined, stock: undefined },
    });
  });

  test('may have the largest id that is a number exactly', () => {
    expect(read({ id: Number.MAX_SAFE_INTEGER })).toMatchObject({ row: { id: '9007199254740991' } });
  });

  test('has its texts in one line', () => {
    expect(read({ id: 'a', name: ' Shoe,\n\tred\u2028 ' })).toMatchObject({ row: { name: 'Shoe, red' } });
  });

  test.each([
    [{}, /^id: is empty/],
    [{ id: ' ' }, /^id: is empty/],
    [{ id: ['a'] }, /^id: must be text or a number/],
    [{ id: 'a'.repeat(257) }, /^id: must have at most 256 characters/],
    [{ id: 'a\u0000' }, /^id: must be UTF-8 without control characters/],
    [{ id: 'a', name: '\u001b[31mred' }, /^name: .*control/],
    [{ id: 'a', name: 'a\u009b31m' }, /^name: .*control/],
    [{ id: 'a', name: 'gnp\u202e.exe' }, /^name: .*control/],
    [{ id: 'a', name: '\ud800' }, /^name: must be UTF-8/],
    [{ id: 'a', name: 'M\ufffdller' }, /^name: must be UTF-8/],
    [{ id: 'a', name: { toString: 1 } }, /^name: must be text or a number \(got an object\)$/],
    [{ id: 'a', name: nested(100_000) }, /^name: must be text or a number \(got a list\)$/],
    [{ id: '47\u200b11' }, /^id: must be without invisible characters/],
    [{ id: 2 ** 53 }, /^id: is too large for a JSON number: write it in quotes$/],
    [{ id: -(2 ** 53) }, /^id: is too large/],
    [{ id: 1e21 }, /^id: is too large/],
    [{ id: 'a', name: 2 ** 60 }, /^name: is too large/],
    [{ id: 'a', category: 'c'.repeat(129) }, /^category: must have at most 128/],
    [{ id: 'a', price: '19,99' }, /^price: must be like 19.99 or 19.99 EUR \(got "19,99"\)/],
    [{ id: 'a', price: '=1+1' }, /^price:/],
    [{ id: 'a', price: -1 }, /^price:/],
    [{ id: 'a', stock: 'many' }, /^stock: must be a whole number \(got "many"\)/],
    [{ id: 'a', stock: 1e300 }, /^stock:/],
    [{ id: 'a', stock: [5] }, /^stock: must be a whole number \(got a list\)$/],
    [{ id: 'a', stock: { toString: 1 } }, /^stock: .*\(got an object\)$/],
    [{ id: 'a', stock: nested(100_000) }, /^stock: .*\(got a list\)$/],
    [{ id: 'a', stock: true }, /^stock: .*\(got true\)$/],
    [{ id: 'a', stock: '9999999999' }, /^stock:/],
  ])('number %# of those that cannot be read is left out, with the reason', (values, problem) => {
    expect(read(values)).toMatchObject({ problem: expect.stringMatching(problem) });
  });

  // The attack list: it is text, and stays as it is for whoever shows it as text.
  test.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    '=HYPERLINK("http://x")',
    '@SUM(1+1)',
    '</script><svg onload=alert(1)>',
    '[a](javascript:alert(1))',
    '{{constructor.constructor("alert(1)")()}}',
    '__proto__',
  ])('keeps the name %s as the text that it is', (name) => {
    expect(read({ id: name, name })).toMatchObject({ row: { id: name, name } });
  });

  test.each([
    ['https://img.example.com/a.jpg', 'https://img.example.com/a.jpg'],
    ['https://IMG.example.com/a b.jpg', 'https://img.example.com/a%20b.jpg'],
    ['https://img.example.com:443/a.jpg', 'https://img.example.com/a.jpg'],
    ['http://img.example.com/a.jpg', undefined],
    ['https://img.example.com:8443/a.jpg', undefined],
    ['https://evil.example.com/a.jpg', undefined],
    ['https://img.example.com.evil.com/a.jpg', undefined],
    ['https://img.example.com@evil.com/a.jpg', undefined],
    ['https://user:pass@img.example.com/a.jpg', undefined],
    ['//img.example.com/a.jpg', undefined],
    ['javascript:alert(1)', undefined],
    ['data:image/svg+xml,<svg onload=alert(1)>', undefined],
    ['https://img.example.com/\u001b', undefined],
    [`https://img.example.com/${'a'.repeat(2048)}`, undefined],
    [4711, undefined],
  ])('with the image %j has the image %j', (given, image) => {
    expect(read({ id: 'a', image: given })).toMatchObject({
      row: { id: 'a', image },
      imageDropped: image === undefined,
    });
  });

  test('has no image while no host is allowed', () => {
    expect(createRowReader([])({ id: 'a', image: 'https://img.example.com/a.jpg' })).toMatchObject({
      row: { image: undefined },
      imageDropped: true,
    });
  });
});

/** A list in a list in a list. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}
