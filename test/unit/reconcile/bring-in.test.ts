import { describe, expect, test } from '@jest/globals';
import type { HotItemEvent } from '../../../event/event.ts';
import { bringIn } from '../../../reconcile/bring-in.ts';
import { IndexUnavailable, type Outcome } from '../../../store/event-index.ts';
import type { EventLookup } from '../../../store/event-lookup.ts';

const RETRY: Outcome = { status: 'retry', reason: 'es_rejected_execution_exception' };
const CREATED: Outcome = { status: 'created' };

// The real Elasticsearch is not easily made to answer so; what it does answer is tested in test/integration/replay.test.ts.
describe('events that may be missing in an index', () => {
  test('are created if they are missing, and not touched otherwise', async () => {
    const { lookup, asked } = open({ there: ['b'], answers: [[CREATED, { status: 'exists' }]] });
    expect(await bringIn(lookup, ['a', 'b', 'c'].map(event))).toEqual([
      { status: 'created' },
      { status: 'there' },
      { status: 'there' },
    ]);
    expect(asked).toEqual([['a', 'c']]);
  });

  test('are retried until each has an answer', async () => {
    const rejected: Outcome = { status: 'rejected', reason: 'no date' };
    const { lookup, asked } = open({
      answers: [[RETRY, CREATED, RETRY], [rejected, RETRY], [RETRY], new IndexUnavailable('away'), [CREATED]],
    });
    expect(await bringIn(lookup, ['a', 'b', 'c'].map(event))).toEqual([
      rejected,
      { status: 'created' },
      { status: 'created' },
    ]);
    expect(asked).toEqual([['a', 'b', 'c'], ['a', 'c'], ['c'], ['c'], ['c']]);
  });

  test('count as missing if the index drops them', async () => {
    const { lookup } = open({ answers: [[{ status: 'dropped', reason: 'pipeline' }]] });
    expect(await bringIn(lookup, [event('a')])).toEqual([
      { status: 'rejected', reason: 'the index drops it: pipeline' },
    ]);
  });

  test('cause no request if there are none', async () => {
    const { lookup, asked } = open({ answers: [] });
    expect(await bringIn(lookup, [])).toEqual([]);
    expect(asked).toEqual([]);
  });

  test('fail on an error of ours', async () => {
    const { lookup } = open({ answers: [new TypeError('not a function')] });
    await expect(bringIn(lookup, [event('a')])).rejects.toThrow('not a function');
  });

  function open({ there = [], answers }: { there?: string[]; answers: (Outcome[] | Error)[] }) {
    const asked: string[][] = [];
    const lookup: EventLookup = {
      name: 'test',
      most: 1000,
      count: async (ids) => ids.map((id) => (there.includes(id) ? 1 : 0)),
      async create(events) {
        asked.push(events.map(({ id }) => id));
        const answer = answers[asked.length - 1] ?? [];
        if (answer instanceof Error) throw answer;
        return answer;
      },
      refresh: async () => true,
      refreshMs: 0,
      close: async () => {},
    };
    return { lookup, asked };
  }

  function event(id: string): HotItemEvent {
    return { v: 1, id, time: 1, uri: '/item/1', item: '1' };
  }
});
