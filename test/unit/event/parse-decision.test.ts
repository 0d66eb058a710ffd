import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DECISION_FIELD_NAMES, decisionFieldOf } from '../../../event/decision-fields.ts';
import { EventError } from '../../../event/parse.ts';
import { parseDecision } from '../../../event/parse-decision.ts';
import { DECISION } from '../../parts/hot-decision.ts';

describe('parseDecision', () => {
  test('returns what the sidecar wrote, without unknown fields', () => {
    expect(parseDecision(JSON.stringify({ ...DECISION, visitors: 12, later: 1 }))).toEqual({
      ...DECISION,
      visitors: 12,
    });
  });

  test.each<[string, unknown, string]>([
    ['no JSON', undefined, 'decision: is not JSON (got "not json")'],
    ['a list', [], 'decision: must be a JSON object (got [])'],
    ['another version', { ...DECISION, v: 2 }, 'v: unknown version, this reads 1 (got 2)'],
    ['no item', { ...DECISION, item: undefined }, 'item: must be a non-empty string (got nothing)'],
    ['a long item', { ...DECISION, item: 'x'.repeat(1_025) }, 'item: longer than 1024'],
    ['another state', { ...DECISION, state: 'warm' }, 'state: must be one of hot, cold (got "warm")'],
    ['signals as text', { ...DECISION, signals: 'busy' }, 'signals: must be a list of at most 16 words'],
    ['a time as text', { ...DECISION, since: 'now' }, 'since: must be whole milliseconds since 1970'],
    ['a version below 0', { ...DECISION, version: -1 }, 'version: must be a whole number from 0 on (got -1)'],
    ['visitors that are no number', { ...DECISION, visitors: '7' }, 'visitors: must be a number from 0 on'],
    ['an event', { v: 1, id: 'a', time: 1, uri: '/item', item: '1' }, 'node: must be a non-empty string'],
  ])('rejects %s and names the field and the value', (_, value, message) => {
    expect(() => parseDecision(value === undefined ? 'not json' : JSON.stringify(value))).toThrow(message);
  });

  test('throws nothing but an EventError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          parseDecision(text);
        } catch (error) {
          expect(error).toBeInstanceOf(EventError);
        }
      }),
    );
  });
});

test('docs/events.md lists the fields of a decision as in the table', () => {
  const rows = DECISION_FIELD_NAMES.map((name) => {
    const { longest, required, ecs, column, about } = decisionFieldOf(name);
    const cells = [
      `\`${name}\``,
      about,
      longest ?? '',
      required ? 'always' : 'if it applies',
      ecs === undefined ? '' : `\`${ecs.path}\``,
      column === undefined ? '' : column.split(' ')[0],
    ];
    return `| ${cells.join(' | ')} |`;
  });
  expect(readFileSync('docs/events.md', 'utf8')).toContain(`${rows.join('\n')}\n`);
});
