import { expect, test } from '@jest/globals';
import { createTestViews } from '../../../../sidecar/ingest/test-views.ts';

test('remembers the last sixteen views that a test sent, the newest last', () => {
  const views = createTestViews();
  for (let i = 0; i < 20; i++) views.note(`t${i}`, JSON.stringify({ v: 1, id: `e${i}`, time: i, uri: '/' }));

  expect(views.list()).toHaveLength(16);
  expect(views.list().at(0)).toEqual({ token: 't4', id: 'e4', time: 4 });
  expect(views.list().at(-1)).toEqual({ token: 't19', id: 'e19', time: 19 });
});
