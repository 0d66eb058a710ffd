import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createNotifier } from '../../../service/notify.ts';

const PID = 77;
const SYSTEMD = {
  NOTIFY_SOCKET: '/run/systemd/notify',
  WATCHDOG_USEC: '90000000',
  WATCHDOG_PID: String(PID),
};

describe('what systemd is told', () => {
  let sent: string[][] = [];
  const warn = jest.fn();
  const notifierOf = (
    env: Record<string, string>,
    send = async (states: string[]) => void sent.push(states),
  ) => createNotifier({ env, pid: PID, log: { warn }, send });

  beforeEach(() => {
    sent = [];
    warn.mockClear();
    jest.useFakeTimers();
  });
  afterEach(() => void jest.useRealTimers());

  test('is nothing where it did not start this process', async () => {
    const notifier = notifierOf({});
    await notifier.ready();
    jest.advanceTimersByTime(120_000);
    await notifier.stopping();
    expect(sent).toEqual([]);
  });

  test('is that the service is ready, three times in its time that it lives, and that it stops', async () => {
    const notifier = notifierOf(SYSTEMD);
    await notifier.ready();
    expect(sent).toEqual([['READY=1']]);
    jest.advanceTimersByTime(90_000);
    await notifier.stopping();
    jest.advanceTimersByTime(90_000);
    const alive = ['WATCHDOG=1'];
    expect(sent).toEqual([['READY=1'], alive, alive, alive, ['STOPPING=1']]);
  });

  test.each([
    ['the unit has no watchdog', { NOTIFY_SOCKET: '/x' }],
    ['another process is watched', { ...SYSTEMD, WATCHDOG_PID: '78' }],
  ])('is not that it lives where %s', async (_, env) => {
    const notifier = notifierOf(env);
    await notifier.ready();
    jest.advanceTimersByTime(90_000);
    expect(sent).toEqual([['READY=1']]);
  });

  test('stops nothing where it cannot be told', async () => {
    const notifier = notifierOf(SYSTEMD, () => Promise.reject(new Error('no systemd-notify')));
    await notifier.ready();
    await notifier.stopping();
    expect(warn).toHaveBeenCalledTimes(2);
  });
});
