import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { tokensOf } from '../../../../nginx-setup/conf/tokens.ts';
import { anyText } from '../../../parts/any-text.ts';

// A dollar before a brace means something to the language of this file, too.
const DOLLAR = '$';
const pieces = fc.constantFrom(...' \t\r\n;{}#\'"\\$()[]~^=ab0é', '_by_lua_block', '\\t', '--[[');
const configuration = fc.oneof(
  anyText(),
  fc.array(pieces).map((parts) => parts.join('')),
);

describe('the tokens of a configuration', () => {
  test.each<[string, string[]]>([
    ['listen 80;', ['listen', '80', ';']],
    ['set $a "";', ['set', '$a', '', ';']],
    [
      String.raw`map $x $y { "~^a{2};\d\t" 'b;c'; }`,
      ['map', '$x', '$y', '{', '~^a{2};\\d\t', 'b;c', ';', '}'],
    ],
    [String.raw`rewrite ^/(\d+)\.html$ /\;x;`, ['rewrite', '^/(\\d+)\\.html$', '/\\;x', ';']],
    [`set $a ${DOLLAR}{b}c{`, ['set', '$a', `${DOLLAR}{b}c`, '{']],
    ["set $a b#c}; # it's over {", ['set', '$a', 'b#c}', ';', 'comment']],
    ["log_format a 'x' '\\'y\\'';", ['log_format', 'a', 'x', "'y'", ';']],
    ['if ($a = "b") {', ['if', '($a', '=', 'b', ')', '{']],
    ['if ($a ~ "b{2}") {', ['if', '($a', '~', 'b{2}', ')', '{']],
    ['a\n\n"b\nc"\r\n;', ['a', 'b\nc', ';']],
    [
      'location / { content_by_lua_block { if a == "}" then -- }\n b = [[}]] {} end } } deny all;',
      ['location', '/', '{', 'content_by_lua_block', '{', '}', '}', 'deny', 'all', ';'],
    ],
  ])('of %j', (text, expected) => {
    expect(tokensOf(text).map((token) => (token.kind === 'word' ? token.text : token.kind))).toEqual(
      expected,
    );
  });

  test('have their lines', () => {
    const words = tokensOf('a "b\nc" d;\n# e\nf;').flatMap((token) =>
      token.kind === 'word' ? [[token.text, token.line]] : [],
    );
    expect(words).toEqual([
      ['a', 1],
      ['b\nc', 1],
      ['d', 2],
      ['f', 4],
    ]);
  });

  test.each([
    ['set $a "b;', 'a " is never closed'],
    ['set $a "b"c;', 'unexpected "c" after a quoted word'],
  ])('end where nginx would reject %j', (text, problem) => {
    expect(tokensOf(text).at(-1)).toMatchObject({ kind: 'error', text: problem });
  });

  test('of any text are split without an exception, with ascending lines', () => {
    fc.assert(
      fc.property(configuration, (text) => {
        const lines = tokensOf(text).map(({ line }) => line);
        expect(lines).toEqual(lines.toSorted((a, b) => a - b));
        expect(lines.at(-1) ?? 1).toBeLessThanOrEqual(text.split('\n').length);
      }),
    );
  });
});
