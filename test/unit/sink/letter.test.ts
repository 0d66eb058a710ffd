import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { HotItemEvent } from '../../../event/event.ts';
import { EventError } from '../../../event/parse.ts';
import { createRedaction, keepsEverything, type RedactionOptions } from '../../../event/redaction.ts';
import { createLetterContents } from '../../../sink/letter.ts';
import { createReadRecord } from '../../../sink/read-record.ts';
import { separateEvents } from '../../../sink/separate-events.ts';
import { ARTICLE, PITS, tracesIn, VISITOR, WRAPS } from '../../parts/nasty-records.ts';

const DROP: RedactionOptions = { ip: { mode: 'drop' }, omit: [] };
const FULL: RedactionOptions = { ip: { mode: 'full' }, omit: [] };
const RECORD = Buffer.from(JSON.stringify(ARTICLE));

/** Messages that are no event, as they are or wrapped, up to three deep, and perhaps cut at any byte. */
const nasty = fc
  .record({
    wraps: fc.array(fc.constantFrom(...Object.values(WRAPS)), { maxLength: 3 }),
    cut: fc.option(fc.nat(400), { nil: undefined }),
  })
  .map(({ wraps, cut }) => wraps.reduce<Buffer>((record, wrap) => wrap(record), RECORD).subarray(0, cut));

describe('the content of a dead letter', () => {
  test.each<[string, RedactionOptions]>([
    ['drop', DROP],
    ['hash', { ip: { mode: 'hash', salt: 'a secret' }, omit: [] }],
    ['truncate', { ip: { mode: 'truncate' }, omit: [] }],
    ['full, with a field omitted', { ip: { mode: 'full' }, omit: ['ua'] }],
  ])('with %s is only the size and the error of a record that is not an event', (_, privacy) => {
    fc.assert(
      fc.property(nasty, (record) => {
        for (const { value, reason } of lettersOf(record, privacy)) {
          expect(value).toHaveLength(0);
          expect(reason).toMatch(
            /^[a-z]+: [a-zA-Z0-9, -]+(?: \((?:\d+ bytes, not kept for privacy|got nothing)\))?$/,
          );
        }
      }),
    );
  });

  test('with addresses kept, never has the token', () => {
    fc.assert(
      fc.property(nasty, (record) => {
        const kept = lettersOf(record, FULL).map(
          ({ value, reason }) => `${reason} ${value.toString('latin1')}`,
        );
        // A record that was cut inside it holds the beginning of one, and says so before that.
        expect(tracesIn(kept.join(' '), [VISITOR.token])).toEqual([]);
      }),
    );
  });

  test.each([
    ['no event', 'event: is not JSON (got "no event")'],
    ['{"v":2}', 'v: unknown version, this reads 1 (got 2)'],
    ['{"v":3,"id":"café"}', 'v: unknown version, this reads 1 (got 3)'],
  ])('with addresses kept, is a record like %s unchanged, and what was found in it', (text, reason) => {
    expect(lettersOf(Buffer.from(text), FULL)).toEqual([{ value: Buffer.from(text), reason }]);
  });

  test('with addresses kept, is a message of the article without its token', () => {
    const { token: _, ...rest } = ARTICLE;
    const [letter] = lettersOf(RECORD, FULL);
    expect(JSON.parse(String(letter?.value))).toEqual(rest);
    expect(letter?.reason).toBe('uri: must be a path');
  });

  test.each(Object.entries(PITS))(
    'of an endlessly nested record, in %s, is as much as possible',
    (_, json) => {
      const [whole, nothing] = [FULL, DROP].map((privacy) => lettersOf(Buffer.from(json), privacy));
      expect(whole).toHaveLength(1);
      expect(whole?.[0]?.reason.length).toBeLessThan(300);
      expect(String(whole?.[0]?.value)).not.toContain('token');
      expect(nothing).toMatchObject([
        { value: Buffer.alloc(0), reason: expect.stringContaining('bytes, not kept') },
      ]);
    },
  );

  test('of a record that is larger than an event may be is its beginning, as far as it is searched for a token', () => {
    const [letter] = lettersOf(Buffer.from('no event '.repeat(100_000)), FULL);
    expect(letter).toMatchObject({
      value: Buffer.from('no event '.repeat(100_000)).subarray(0, 262_144),
      reason: 'event: larger than 262144 bytes, cut from 900000 to 262144 bytes',
    });
    const long = JSON.stringify({ ...ARTICLE, x: 'x'.repeat(300_000) });
    const [hiding] = lettersOf(Buffer.from(long), FULL);
    expect(hiding?.value).toHaveLength(0);
  });

  test('of an event that the index rejects is the document, with its id', () => {
    const contents = createLetterContents({ keepsAll: false, redact: createRedaction(DROP) });
    const event = {
      v: 1,
      id: 'a',
      time: 1,
      uri: '/',
      item: '/',
      ip: VISITOR.ip,
      ua: 'x',
      token: 'sesame',
    } as const;
    const { value, reason } = contents.ofRejected(
      event satisfies HotItemEvent,
      'mapper_parsing_exception: no',
    );
    expect(JSON.parse(String(value))).toEqual({ v: 1, id: 'a', time: 1, uri: '/', item: '/', ua: 'x' });
    expect(reason).toBe('mapper_parsing_exception: no');
  });

  function lettersOf(record: Buffer, privacy: RedactionOptions) {
    const redact = createRedaction(privacy);
    const read = createReadRecord({ articleTimeZone: 'UTC', redact });
    const contents = createLetterContents({ keepsAll: keepsEverything(privacy), redact });
    const [batch, ...more] = separateEvents({
      source: 'events/0',
      values: [record],
      position: () => '7',
      time: () => 1,
    });
    if (batch === undefined || more.length > 0) throw new Error('one record is one piece');
    return [...batch.values].flatMap((value, i) => {
      try {
        read(batch, i);
        return [];
      } catch (error) {
        if (!(error instanceof EventError)) throw error;
        return [contents.ofInvalid(value, error)];
      }
    });
  }
});
