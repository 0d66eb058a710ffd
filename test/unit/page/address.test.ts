import { describe, expect, test } from '@jest/globals';
import { addressOf, hashOf, hashOfItem } from '../../../page/address.ts';

describe('the address of a view', () => {
  test.each(['4711', 'a/b?c#d', '100%', '50 %41', '<img src=x>', 'é 🛒', '../../etc', ' ', '&window=1h'])(
    'names the item %p, whatever it is called',
    (item) => {
      expect(addressOf(hashOfItem(item))).toMatchObject({ view: 'item', item });
    },
  );

  test('of an item with half a character in its name can be made', () => {
    expect(addressOf(hashOfItem('a\ud83d'))).toMatchObject({ view: 'item', item: 'a\ufffd' });
  });

  test.each(['', '#', '#/', '#/nothing', '#/item/', '#/item', '#//', '#/hot?x=1'])(
    '%p is Hot now',
    (hash) => {
      expect(addressOf(hash).view).toBe('hot');
    },
  );

  test('written by hand with a percent sign names what was written', () => {
    expect(addressOf('#/item/100%').item).toBe('100%');
  });

  test('keeps what was chosen', () => {
    const address = addressOf('#/items?window=24h&find=a%20%26%20b');
    expect(address.choices.get('find')).toBe('a & b');
    expect(addressOf(hashOf(address))).toEqual(address);
  });
});
