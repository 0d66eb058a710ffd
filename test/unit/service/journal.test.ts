import { fstatSync, openSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { forJournal, isJournal, logLineForJournal } from '../../../service/journal.ts';

describe('lines for the journal', () => {
  test.each([
    [60, '<2>'],
    [50, '<3>'],
    [40, '<4>'],
    [30, '<6>'],
    [20, '<7>'],
    [10, '<7>'],
  ])('of level %i begin with %s', (level, prefix) => {
    expect(logLineForJournal(`{"level":${level},"msg":"x"}\n`)).toBe(
      `${prefix}{"level":${level},"msg":"x"}\n`,
    );
  });

  test('have the level on each of several lines, except empty ones', () => {
    expect(forJournal('hotitem: wrong:\n\n  home\n', 50)).toBe('<3>hotitem: wrong:\n\n<3>  home\n');
  });

  test('are only written to the descriptor that systemd connected to the journal', () => {
    const fd = openSync('/dev/null', 'r');
    const { dev, ino } = fstatSync(fd);
    expect(isJournal(fd, { JOURNAL_STREAM: `${dev}:${ino}` })).toBe(true);
    expect(isJournal(fd, { JOURNAL_STREAM: `${dev}:${ino + 1}` })).toBe(false);
    expect(isJournal(fd, {})).toBe(false);
    expect(isJournal(9_999, { JOURNAL_STREAM: `${dev}:${ino}` })).toBe(false);
  });
});
