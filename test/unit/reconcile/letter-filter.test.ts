import { describe, expect, test } from '@jest/globals';
import { type LetterFilter, toLetterFilter } from '../../../reconcile/letter-filter.ts';
import type { KeptLetter } from '../../../store/dead-letters/box.ts';

describe('of dead letters', () => {
  const letters: KeptLetter[] = [
    letter('a', { time: 100, reason: 'event: is not JSON', origin: 'events/3/7' }),
    letter('b', { time: 200, reason: 'document_parsing_exception: no date', origin: 'events/0/12' }),
  ];

  test.each<[LetterFilter, string[]]>([
    [{}, ['a', 'b']],
    [{ reason: 'NO DATE' }, ['b']],
    [{ reason: 'nothing like it' }, []],
    [{ origin: 'events/3/' }, ['a']],
    [{ origin: '/3/' }, []],
    [{ since: 200 }, ['b']],
    [{ until: 200 }, ['a']],
    [{ since: 100, until: 201, reason: 'is', origin: 'events' }, ['a']],
  ])('%j means %j', (filter, ids) => {
    expect(letters.filter(toLetterFilter(filter)).map(({ id }) => id)).toEqual(ids);
  });

  function letter(id: string, fields: Pick<KeptLetter, 'time' | 'reason' | 'origin'>): KeptLetter {
    return { id, value: Buffer.alloc(0), recorded: undefined, replayed: false, ...fields };
  }
});
