import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type Status, watchStatus } from '../../../cli/watch-status.ts';

const STATUS: Status = {
  facts: {
    sidecar: { at: 'a host', problem: 'nothing answers', hint: '', silent: true },
    sink: undefined,
    kafka: undefined,
    index: undefined,
    places: { includes: '', node: undefined, caFile: undefined, dataStream: '' },
    installed: '1.0.0',
    now: 0,
    lossesFrom: 0,
  },
  verdict: { line: 'captures', findings: [], isDelivered: true, status: 3 },
};

beforeEach(() => {
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => {
  jest.restoreAllMocks();
});

test('whoever quits does not wait for an answer that does not come', async () => {
  let questions = 0;
  const watching = watchStatus({
    ask() {
      questions++;
      if (questions === 1) return Promise.resolve(STATUS);
      process.stdout.emit('error', new Error('EPIPE'));
      return new Promise(() => {});
    },
    json: true,
    env: {},
  });
  expect(await watching).toBe(3);
  expect(questions).toBe(2);
});
