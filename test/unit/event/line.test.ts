import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromLine } from '../../../event/from-line.ts';
import { bitsOf } from '../../../event/id-bits.ts';
import { createLine, type Line } from '../../../event/line.ts';
import { HOST, PATH, UA } from '../../../event/line-fields.ts';
import { runs } from '../../parts/full.ts';
import { line, NODE } from './lines.ts';

/** Everything that may stand between two newlines. */
const anything = fc.string({
  unit: fc.constantFrom(...'012/\t\t\t.:aGET?#%"\\\0\x1f\x7f\xc3\xa9\xff'),
  maxLength: 120,
});
const anyLine = fc.oneof(
  anything,
  anything.map((ua) => line({ ua })),
  anything.map((rest) => line({ uri: `/item/${rest}` })),
);

describe('the fields of a line', () => {
  test('are found at any position, and end at the newline', () => {
    const lines = Buffer.from(`before\n${line({ host: 'shop', ua: 'a\tb' })}\nafter`, 'latin1');
    const { read, begin, end, odd, lineEnd, time, weight } = createLine();

    expect(read(lines, 'before\n'.length)).toBe(true);
    const textOf = (field: number) => lines.toString('latin1', begin[field], end[field]);
    expect([HOST, PATH, UA].map(textOf)).toEqual(['shop', '/web/item/4711.html', 'a\tb']);
    expect([HOST, PATH, UA].map((field) => odd[field])).toEqual([0, 0, 1]);
    expect(lineEnd()).toBe(lines.indexOf('\nafter'));
    expect(time()).toBe(1795355712163);
    expect(weight()).toBe(1);
  });

  test.each([
    ['is cut off anywhere', (text: string, i: number) => text.slice(0, i)],
    ['lacks a piece', (text: string, i: number) => text.slice(0, i) + text.slice(i + 5)],
  ])('of a line that %s never come from the next one', (_, damage) => {
    const whole = line({});
    const reader = createLine();
    for (let i = 1; i < whole.length; i++) {
      const damaged = damage(whole, i);
      const lines = Buffer.from(`${damaged}\n${line({ ua: 'next' })}\n`, 'latin1');
      const isEvent = reader.read(lines, 0);
      expect(reader.lineEnd()).toBe(damaged.length);
      expect(isEvent).toBe('id' in fromLine(damaged, NODE));
      expect(Math.max(...reader.begin, ...reader.end)).toBeLessThanOrEqual(damaged.length);
    }
  });

  test('do not depend on bytes before or after the line', () => {
    const reader = createLine();
    fc.assert(
      fc.property(anyLine, anything, anything, (text, before, behind) => {
        const alone = fromLine(text, NODE);
        const isEvent = reader.read(
          Buffer.from(`${before}\n${text}\n${behind}`, 'latin1'),
          before.length + 1,
        );

        expect(reader.lineEnd()).toBe(before.length + 1 + text.length);
        if (!('id' in alone)) expect(reader.bad()).toEqual(alone);
        else
          expect([isEvent, reader.idBits(0), reader.idBits(1)]).toEqual([
            true,
            bitsOf(alone.id, 0),
            bitsOf(alone.id, 1),
          ]);
      }),
      { numRuns: runs(2_000) },
    );
  });

  test('have an id of exactly 32 lower-case hexadecimal digits', () => {
    const reader = createLine();
    const requestId = '0123456789abcdef0f1e2d3c4b5a6978';
    for (let at = 0; at < requestId.length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const digit = String.fromCharCode(byte);
        const id = requestId.slice(0, at) + digit + requestId.slice(at + 1);
        const isId = /^[0-9a-f]$/.test(digit);
        expect(reader.read(Buffer.from(line({ requestId: id }), 'latin1'), 0)).toBe(isId);
        if (!isId) continue;
        const words = [reader.idBits(0) >>> 0, reader.idBits(1) >>> 0];
        expect(words).toEqual([Number.parseInt(id.slice(0, 8), 16), Number.parseInt(id.slice(8, 16), 16)]);
      }
    }
  });

  test('hash equal user agents to the same bits at any position, and others to others', () => {
    const reader = createLine();
    const bitsOfAgent = (ua: string, before: string, behind: string) => {
      expect(reader.read(Buffer.from(`${before}${line({ ua })}${behind}`, 'latin1'), before.length)).toBe(
        true,
      );
      return `${reader.agentBits(0)} ${reader.agentBits(1)}`;
    };
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'ab"\xe9\0'), maxLength: 12 }),
        fc.constantFrom('', 'x\n', 'xyz\n'),
        fc.constantFrom('', '\n', '\nabcdefgh'),
        (ua, before, behind) => {
          const bits = bitsOfAgent(ua, before, behind);
          expect(seen.get(bits) ?? ua).toBe(ua);
          seen.set(bits, ua);
          expect(bitsOfAgent(ua, '', '\n')).toBe(bits);
        },
      ),
      { numRuns: runs(2_000) },
    );
  });

  test('have no two user agents that collide with every key, as with known multipliers', () => {
    const [one, other] = ['Gecko/20100101 Firefox/133.0', 'Gecko/20100101 Firefo8/933.0'].map((end) =>
      line({ ua: `Mozilla/5.0 (X11; Linux x86_64; rv:133.0) ${end}` }),
    );
    const bitsOfOne = (text: string | undefined, reader: Line, word: 0 | 1) => {
      expect(reader.read(Buffer.from(text ?? '', 'latin1'), 0)).toBe(true);
      return reader.agentBits(word);
    };
    for (const word of [0, 1] as const) {
      const collisions = Array.from({ length: 100 }, createLine).filter(
        (reader) => bitsOfOne(one, reader, word) === bitsOfOne(other, reader, word),
      );
      expect(collisions).toEqual([]);
    }
  });

  test('hash all used bytes of a user agent, and its length', () => {
    const reader = createLine();
    const bits = [1_019, 1_020, 1_021, 1_022, 1_023, 1_024, 3_000].flatMap((length) =>
      ['a', 'b'].map((last) => {
        const ua = `${'x'.repeat(length - 1)}${last}`;
        expect(reader.read(Buffer.from(line({ ua }), 'latin1'), 0)).toBe(true);
        return `${reader.agentBits(0)} ${reader.agentBits(1)}`;
      }),
    );
    expect(new Set(bits).size).toBe(14);
  });
});
