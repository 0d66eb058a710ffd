import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileRules, DEFAULT_RULE } from '../../../detect/rules.ts';
import { runs } from '../../parts/full.ts';

const isShoe = (item: string) => item.startsWith('shoe-');
const SHOES = { has: isShoe, categoryOf: (item: string) => (isShoe(item) ? 'shoes' : undefined) };

describe('rules', () => {
  test('are optional: without them the defaults apply', () => {
    expect(compileRules().rulesFor('anything')).toEqual(DEFAULT_RULE);
  });

  test('change only what they name; later rules override earlier ones', () => {
    const rules = compileRules([
      { name: 'all', busy: { perSecond: 50 }, dryRun: true },
      { name: 'sale', items: ['sale-*'], busy: { dwellMs: 5_000 }, concentrated: { actions: ['limit'] } },
    ]);
    expect(rules.rulesFor('sale-1')).toEqual({
      ...DEFAULT_RULE,
      name: 'sale',
      busy: { ...DEFAULT_RULE.busy, perSecond: 50, dwellMs: 5_000 },
      concentrated: { ...DEFAULT_RULE.concentrated, actions: ['limit'] },
      dryRun: true,
    });
    expect(rules.rulesFor('other').name).toBe('all');
  });

  test('do not limit by default: a concentrated item is only reported', () => {
    expect(DEFAULT_RULE.concentrated.actions).toEqual([]);
  });

  test('may exclude items from being hot, and a later rule may allow some again', () => {
    const rules = compileRules([
      { name: 'none', mayBeHot: false },
      { name: 'but these', items: ['sale-*'], mayBeHot: true },
    ]);
    expect(rules.rulesFor('other').barred).toBe('rule none');
    expect(rules.rulesFor('sale-1').barred).toBe('');
  });

  test('may match a category and any item of the catalogue', () => {
    const rules = compileRules(
      [
        { name: 'all', catalogueOnly: true },
        { name: 'shoes', category: 'shoes', dryRun: true },
      ],
      { catalogue: SHOES },
    );
    expect(rules.rulesFor('shoe-1')).toMatchObject({ barred: '', dryRun: true });
    expect(rules.rulesFor('hat-1').barred).toBe('not in the catalogue');
  });

  test('may be for a pattern of categories', () => {
    const isDryRun = (category: string) =>
      compileRules([{ name: 'some', category, dryRun: true }], { catalogue: SHOES }).rulesFor('shoe-1')
        .dryRun;
    expect(['sh*', '*oes', 'shoe', 'ha*'].map(isDryRun)).toEqual([true, true, false, false]);
  });

  test('while there is no catalogue, no item has a category, and none is barred', () => {
    const rules = compileRules([
      { name: 'all', catalogueOnly: true },
      { name: 'shoes', category: 'shoes', dryRun: true },
    ]);
    expect(rules.rulesFor('shoe-1')).toMatchObject({ barred: '', dryRun: false });
  });

  test.each([
    ['sku-*', 'sku-1', true],
    ['sku-*', 'sku-', true],
    ['sku-*', 'xsku-1', false],
    ['*-red', 'shoe-red', true],
    ['*-red', 'shoe-red-2', false],
    ['a*b*a', 'aba', true],
    ['a*b*a', 'aa', false],
    ['aa*aa', 'aaa', false],
    ['*', '', true],
    ['exact', 'exact', true],
    ['exact', 'exactly', false],
    ['a.c', 'abc', false],
  ])('%s describes %s: %s', (pattern, item, isFor) => {
    const rules = compileRules([{ name: 'some', items: [pattern] }]);
    expect(rules.rulesFor(item).name === 'some').toBe(isFor);
  });

  test('a pattern matches exactly what the equivalent regular expression matches', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 8 }).map((parts) => parts.join(''));
    const item = fc.array(fc.constantFrom('a', 'b'), { maxLength: 10 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, item, (pattern, name) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name);
        const rules = compileRules([{ name: 'some', items: [pattern] }]);
        expect(rules.rulesFor(name).name === 'some').toBe(expected);
      }),
      { numRuns: runs(2_000) },
    );
  });

  test('a pattern of many stars is not slow on a hostile name', () => {
    // A regular expression would try more ways than there are atoms.
    const rules = compileRules([{ name: 'some', items: [`${'*a'.repeat(200)}*b`] }]);
    expect(rules.rulesFor('a'.repeat(100_000)).name).toBe('default');
  });
});
