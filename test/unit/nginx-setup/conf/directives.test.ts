import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Directive, parseDirectives, printDirectives } from '../../../../nginx-setup/conf/directives.ts';
import { anyText } from '../../../parts/any-text.ts';

type Shape = Pick<Directive, 'name' | 'args'> & { block?: Shape[] };

// A Lua block is not made of directives.
const word = anyText({ maxLength: 12 }).filter((text) => !text.endsWith('_by_lua_block'));
const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.record(
    {
      name: fc.oneof(fc.constantFrom('set', 'location', 'if'), word),
      args: fc.array(fc.oneof(word, fc.constantFrom('$a', 'b}', '"', "'", '\\', '\\t', '{', ';', '#')), {
        maxLength: 4,
      }),
      block: fc.array(tie('shape'), { maxLength: 3 }),
    },
    { requiredKeys: ['name', 'args'] },
  ),
}));

describe('directives', () => {
  test('have their words, line and block', () => {
    const { directives, comments, problem } = parseDirectives(
      '/n',
      '# hello\nhttp {\n  gzip on;\n  server { }\n}\n',
    );
    expect(directives).toEqual([
      {
        name: 'http',
        args: [],
        file: '/n',
        line: 2,
        block: [
          { name: 'gzip', args: ['on'], file: '/n', line: 3 },
          { name: 'server', args: [], file: '/n', line: 4, block: [] },
        ],
      },
    ]);
    expect([comments, problem]).toEqual([['hello'], undefined]);
  });

  test.each([
    ['gzip on', 'a directive has no end', 1],
    ['http {\ngzip on;', 'a block is never closed', 2],
    ['gzip on;\n}', 'unexpected }', 2],
    ['http { gzip on }', 'unexpected }', 1],
    [';', 'unexpected ;', 1],
    ['a { b "c;', 'a " is never closed', 1],
    [`${'a {'.repeat(500)}`, 'blocks are nested deeper than 200', 1],
  ])('of %j have a problem', (text, problem, line) => {
    expect(parseDirectives('/n', text).problem).toEqual({ text: problem, line });
  });

  test('before a mistake are kept', () => {
    const { directives } = parseDirectives('/n', 'user a;\nhttp { gzip on; "');
    expect(directives.map(({ name }) => name)).toEqual(['user', 'http']);
    expect(directives[1]?.block?.[0]?.name).toBe('gzip');
  });

  test('printed and parsed again are equal', () => {
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 4 }), (shapes) => {
        const printed = printDirectives(shapes.map(placed));
        const { directives, problem } = parseDirectives('/n', printed);
        expect(problem).toBeUndefined();
        expect(directives.map(shapeOf)).toEqual(shapes.map(shapeOf));
      }),
    );
  });

  test('of any text are parsed without an exception', () => {
    fc.assert(fc.property(anyText(), (text) => void parseDirectives('/n', text)));
  });
});

function placed({ name, args, block }: Shape): Directive {
  return { name, args, file: '/n', line: 1, ...(block && { block: block.map(placed) }) };
}

function shapeOf({ name, args, block }: Shape): Shape {
  return { name, args, ...(block && { block: block.map(shapeOf) }) };
}
