import { describe, expect, test } from '@jest/globals';
import { parseTime } from '../../../cli/parse-time.ts';

const NOW = Date.UTC(2026, 5, 15, 12);

describe('a time on the command line', () => {
  test.each([
    ['now', NOW],
    ['-90s', NOW - 90_000],
    ['-2h', NOW - 7_200_000],
    ['-7d', NOW - 604_800_000],
    ['2026-06-01', Date.UTC(2026, 5, 1)],
    ['2026-06-01T08:30', Date.UTC(2026, 5, 1, 8, 30)],
    ['2026-06-01 08:30:15', Date.UTC(2026, 5, 1, 8, 30, 15)],
    ['2026-06-01T08:30:15.250Z', Date.UTC(2026, 5, 1, 8, 30, 15, 250)],
    ['2026-06-01T08:30:15+02:00', Date.UTC(2026, 5, 1, 6, 30, 15)],
  ])('%s', (text, time) => {
    expect(parseTime('from', text, NOW)).toBe(time);
  });

  test.each(['', 'yesterday', '2h', '-2y', '2026', '2026-13-01', '01.06.2026', '2026-06-01T25:00'])(
    'not %j',
    (text) => {
      expect(() => parseTime('from', text, NOW)).toThrow(`--from: must be like`);
    },
  );
});
