import { describe, expect, test } from '@jest/globals';
import { itemOf, requireWords, said, timesOf } from '../../../../cli/hot/tell.ts';
import { UsageError } from '../../../../cli/parse-command-line.ts';

const context = (positionals: string[], env = {}) => ({ flags: {}, positionals, env });

describe('the arguments of hotitem hot', () => {
  test('name one item', () => {
    expect(itemOf(context(['4711']), 'hot pin')).toBe('4711');
    for (const words of [[], [''], ['1', '2']])
      expect(() => itemOf(context(words), 'hot pin')).toThrow('hot pin: needs one ITEM');
    expect(() => requireWords(context(['1']), 0, 'takes none')).toThrow(UsageError);
  });

  test('say for how long, from when and until when', () => {
    const now = Date.now();
    const { until: end = 0 } = timesOf({ for: '30m' });
    expect(end - now).toBeGreaterThanOrEqual(1_800_000);
    expect(timesOf({ from: '2099-01-01', for: '2h' })).toEqual({
      from: Date.UTC(2099, 0),
      until: Date.UTC(2099, 0, 1, 2),
    });
    expect(timesOf({ until: '2099-01-01T08:00' })).toEqual({ until: Date.UTC(2099, 0, 1, 8) });
    expect(timesOf({})).toEqual({});
  });

  test.each([
    [{ for: 'soon' }, '--for: must be like 30m'],
    [{ for: '0m' }, '--for: must be like 30m'],
    [{ until: '2020-01-01' }, 'must end after it begins'],
    [{ from: '2099-01-02', until: '2099-01-01' }, 'must end after it begins'],
    [{ for: '1h', until: '2099-01-01' }, '--for and --until: use only one'],
  ])('reject %j', (flags, problem) => {
    expect(() => timesOf(flags)).toThrow(problem);
  });

  test('give the reason and the user, also with sudo', () => {
    expect(said(context([], { SUDO_USER: 'alice' }), ' sold out ')).toMatchObject({
      reason: 'sold out',
      by: expect.stringMatching(/^alice as /),
    });
    expect(said(context([]), undefined).reason).toBe('by hand');
    expect(() => said(context([]), ' ')).toThrow('--reason');
  });
});
