import { expect, test } from '@jest/globals';
import { liveSnapshot } from '../../../heat/live-state.ts';

test('the stream, which is published, names no operator and nothing of the host', () => {
  const { head } = liveSnapshot({
    list: {
      version: 1,
      node: 'web-1',
      now: 2_000,
      hot: [],
      held: [],
      overrides: [],
      rules: { rules: [], problems: [] } as never,
      frozen: { since: 1_000, by: 'anna', reason: 'in doubt' },
      failure: 'EACCES: permission denied, open /var/lib/hotitem/hot',
    },
    build: 'a',
    figures: { five: 1, learning: 0, wanted: [] } as never,
    shop: { all: 0, people: 0 },
    cap: 10,
    happened: [],
  });
  expect(head).toMatchObject({ frozen: { since: 1_000 }, failure: true });
  expect(JSON.stringify(head)).not.toMatch(/anna|"by"|in doubt|EACCES|\/var/);
});
