import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createNotifier } from '../../../service/notify.ts';

const PID = 77;
const SYSTEMD = {
  NOTIFY_SOCKET: '/run/systemd/notify',
  WATCHDOG_USEC: '90000000',
  WATCHDOG_PID: String(PID),
};

describe('the notification of systemd', () => {
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

  test('is not sent if systemd did not start this process', async () => {
    const notifier = notifierOf({});
    await notifier.ready();
    jest.advanceTimersByTime(120_000);
    await notifier.stopping();
    expect(sent).toEqual([]);
  });

  test('is that the service is ready, three watchdog pings per interval, and that it stops', async () => {
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
  ])('is not a watchdog ping if %s', async (_, env) => {
    const notifier = notifierOf(env);
    await notifier.ready();
    jest.advanceTimersByTime(90_000);
    expect(sent).toEqual([['READY=1']]);
  });

  test('does not fail if systemd cannot be reached', async () => {
    const notifier = notifierOf(SYSTEMD, () => Promise.reject(new Error('no systemd-notify')));
    await notifier.ready();
    await notifier.stopping();
    expect(warn).toHaveBeenCalledTimes(2);
  });
});
