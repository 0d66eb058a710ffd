import { expect, test } from '@jest/globals';
import { countRemoved, toRemovedLetter, toRemovedRange } from '../../../reconcile/removed-unread.ts';

test('records that were removed unread become a dead letter with their position', () => {
  const range = { source: 'events/3', first: '9007199254740993', last: '9007199254740995' };
  const letter = toRemovedLetter(range);
  expect(countRemoved(range)).toBe(3);
  expect(letter).toMatchObject({ origin: 'events/3/9007199254740993-9007199254740995' });
  expect(toRemovedRange(letter)).toEqual(range);
  expect(toRemovedRange({ ...letter, reason: 'a batch cannot be decoded' })).toBeUndefined();
  expect(toRemovedRange({ ...letter, origin: 'events/3/7' })).toBeUndefined();
});
