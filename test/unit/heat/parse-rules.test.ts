import { describe, expect, test } from '@jest/globals';
import { parseRules, RulesError } from '../../../heat/parse-rules.ts';

describe('a file of rules', () => {
  test('overrides what it names and leaves the rest', () => {
    const { rules, pins, bans, cap } = parseRules(`
rules:
  - name: sneakers
    items: ["sneaker-*", 4711]
    busy: { enter_views_per_second: 50, actions: [cache] }
    surge: false
    dry_run: true
cap: 5
pins:
  - { item: tv-9, from: "2026-11-27T08:00:00Z", until: "2026-11-27 10:00", reason: campaign }
bans:
  - { item: "0815", reason: a test page }
`);
    expect(rules).toEqual([
      {
        name: 'sneakers',
        items: ['sneaker-*', '4711'],
        busy: { enter_views_per_second: 50, actions: ['cache'] },
        surge: false,
        dry_run: true,
      },
    ]);
    expect(cap).toBe(5);
    expect(pins).toEqual([
      {
        item: 'tv-9',
        from: Date.UTC(2026, 10, 27, 8),
        until: Date.UTC(2026, 10, 27, 10),
        reason: 'campaign',
      },
    ]);
    expect(bans).toEqual([{ item: '0815', reason: 'a test page' }]);
  });

  test.each([
    ['rules: many', 'rules: must be a list (got "many")'],
    ['rules: [busy]', 'rules[0]: must be a mapping with settings (got "busy")'],
    ['- rules', 'the file: must be a mapping with settings'],
    ['7', 'the file: must be a mapping with settings (got 7)'],
    ['cap: 0', 'cap: must be at least 1 (got 0)'],
    ['cap: 20000', 'cap: must be at most 10000 (got 20000)'],
    ['cap: 1.5', 'cap: must be a whole number (got 1.5)'],
    ['cap: null', 'cap: must be a number (got null)'],
    [
      'rules: [{ busy: { leave_views_per_second: 0 } }]',
      'rules[0].busy.leave_views_per_second: must be above 0 (got 0)',
    ],
    [
      'rules: [{ busy: { dwell_seconds: .inf } }]',
      'rules[0].busy.dwell_seconds: must be a number (got Infinity)',
    ],
    ['rules: [{ items: [true] }]', 'rules[0].items[0]: must be text in quotes (got true)'],
    ['rules: [{ items: 7 }]', 'rules[0].items: must be a list (got 7)'],
    [
      `rules: [{ name: ${'x'.repeat(257)} }]`,
      `rules[0].name: must have at most 256 characters (got "${'x'.repeat(99)})`,
    ],
    [
      'rules: [{ busy: { actions: [cache, cache, cache, cache, cache] } }]',
      'rules[0].busy.actions: must have at most 4 entries',
    ],
    ['bans: [{ reason: why }]', 'bans[0].item: is missing'],
    ['pins: [{ item: a, reason: why, from: 7 }]', 'pins[0].from: must be text in quotes (got 7)'],
  ])('says of %j in its own words what is wrong', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  test('may have no rules', () => {
    expect(parseRules('rules: []\n')).toEqual({ rules: [], pins: [], bans: [] });
  });

  test.each(['', '# nothing yet\n'])('with %j may be incomplete, and is rejected', (text) => {
    expect(problemsOf(text)).toEqual(['the file: is empty; write `rules: []` for no rules']);
  });

  test('with many mistakes names each of them with its path, all at once', () => {
    expect(
      problemsOf(`
rule: []
rules:
  - items: []
  - busy: { enter_views_per_second: 5, leave_views_per_second: 9 }
    surge: { visitor: 3, ratio: many }
  - category: shoes
    busy: { actions: [block] }
  - dry_run: "no"
    busy: true
pins:
  - { item: a, from: tomorrow, reason: "" }
  - { item: a, from: "2026-11-28T00:00:00Z", until: "2026-11-27T00:00:00Z", reason: late }
`),
    ).toEqual([
      'rules[0].items: must not be empty',
      'rules[1].busy.leave_views_per_second: must be below enter_views_per_second (5 and 20 where they are not set)',
      'rules[1].surge.ratio: must be a number (got "many")',
      'rules[1].surge.visitor: unknown key, did you mean visitors?',
      'rules[2].busy.actions[0]: must be announce, cache, isolate or limit (got "block")',
      'rules[3].busy: must be false, or thresholds (got true)',
      'rules[3].dry_run: must be true or false (got "no")',
      'pins[0].from: must be a time like 2026-07-01T12:00:00Z (got "tomorrow")',
      'pins[0].reason: must not be empty (got "")',
      'pins[1].until: must be after from',
      'pins: names an item twice',
      'rule: unknown key, did you mean rules?',
    ]);
  });

  test.each([
    ['rules: [', /^line 1, column \d+: not valid YAML/],
    ['- a', /^the file: /],
    ['rules: [{items: ["a\\u001b"]}]', /^rules\[0\]\.items\[0\]: must not contain control characters/],
    [`rules: [{items: ["${'a'.repeat(257)}"]}]`, /^rules\[0\]\.items\[0\]: must have at most 256/],
    ['a: &a [x,x]\nb: &b [*a,*a]\nrules: &c [*b,*b]', /./],
  ])('with %s is rejected', (text, problem) => {
    expect(problemsOf(text)[0]).toMatch(problem);
  });

  test('that need a catalogue are rejected without one', () => {
    const text = 'rules:\n  - category: shoes\n  - catalogue_only: true\n  - catalogue_only: false\n';
    const needs = 'needs a catalogue: set catalogue.file in the configuration';
    expect(problemsOf(text)).toEqual([
      `rules[0].category: ${needs} (got "shoes")`,
      `rules[1].catalogue_only: ${needs} (got true)`,
    ]);
    expect(parseRules(text, { hasCatalogue: true }).rules).toMatchObject([
      { category: 'shoes' },
      { catalogue_only: true },
      { catalogue_only: false },
    ]);
  });

  test('with a thousand mistakes reports the first hundred', () => {
    const problems = problemsOf(`rules:\n${'  - {colour: red}\n'.repeat(1_000)}`);
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toBe('and 900 problems more');
  });
});

function problemsOf(text: string): string[] {
  try {
    parseRules(text);
    return [];
  } catch (error) {
    return error instanceof RulesError ? error.problems : [String(error)];
  }
}
