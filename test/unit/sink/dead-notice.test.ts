import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createDeadNotice } from '../../../sink/dead-notice.ts';

describe('the log of dead letters', () => {
  const lines: object[] = [];
  const say = (fields: object) => lines.push(fields);

  beforeEach(() => {
    lines.length = 0;
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('has a line at once, then one per minute with the number since then and the reasons', () => {
    const notice = createDeadNotice({ say });
    notice.add(['event: is not JSON']);
    notice.add(['event: is not JSON', 'uri: must be a path']);
    notice.add(['event: is not JSON']);
    expect(lines).toEqual([{ count: 1, reasons: { 'event: is not JSON': 1 } }]);
    jest.advanceTimersByTime(59_999);
    expect(lines).toHaveLength(1);
    jest.advanceTimersByTime(1);
    expect(lines[1]).toEqual({ count: 3, reasons: { 'event: is not JSON': 2, 'uri: must be a path': 1 } });
    jest.advanceTimersByTime(600_000);
    notice.add([]);
    expect(lines).toHaveLength(2);
    notice.add(['v: unknown version, this reads 1']);
    expect(lines).toHaveLength(3);
  });

  test('has the next line after a minute when the clock is set back', () => {
    const notice = createDeadNotice({ say });
    notice.add(['a']);
    jest.setSystemTime(Date.now() - 7_200_000);
    notice.add(['b']);
    jest.advanceTimersByTime(60_000);
    expect(lines).toEqual([
      { count: 1, reasons: { a: 1 } },
      { count: 1, reasons: { b: 1 } },
    ]);
  });

  test('has the remaining number when the sink stops', () => {
    const notice = createDeadNotice({ say });
    for (const reason of ['a', 'b', 'b']) notice.add([reason]);
    notice.close();
    notice.close();
    expect(lines).toEqual([
      { count: 1, reasons: { a: 1 } },
      { count: 2, reasons: { b: 2 } },
    ]);
  });
});
