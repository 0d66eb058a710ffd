import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createProgress, progressLater, showWait } from '../../../cli/progress.ts';

const XTERM = { TERM: 'xterm' };

beforeEach(() => {
  jest.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('progress', () => {
  test('is a bar on a terminal, redrawn a few times a second at most, and gone in the end', () => {
    const { terminal, written } = openTerminal(true);
    const progress = createProgress('replayed', { stream: terminal, env: XTERM });
    jest.advanceTimersByTime(600);
    progress.show(500, 2_000);
    progress.show(501, 2_000);
    progress.end();
    progress.end();
    expect(written).toEqual(['\r\x1b[Kreplayed [########----------------------]  25 %', '\r\x1b[K']);
  });

  test('says how much time is left once that is known', () => {
    const { terminal, written } = openTerminal(true);
    const progress = createProgress('read', { stream: terminal, env: XTERM });
    jest.advanceTimersByTime(4_000);
    progress.show(100, 1_000);
    jest.advanceTimersByTime(4_000);
    progress.show(0, 1_000);
    progress.show(0, 0);
    jest.advanceTimersByTime(592_000);
    progress.show(500, 1_000);
    expect(written.map((text) => text.slice(text.indexOf(']')))).toEqual([
      ']  10 %, 36 s left',
      ']   0 %',
      ']  50 %, 10 min left',
    ]);
  });

  test('of what is done at once is not shown', () => {
    const { terminal, written } = openTerminal(true);
    const progress = createProgress('read', { stream: terminal, env: XTERM });
    jest.advanceTimersByTime(400);
    progress.show(1, 2);
    progress.end();
    expect(written).toEqual([]);
  });

  test('is a count if the total is unknown', () => {
    const { terminal, written } = openTerminal(true);
    const progress = createProgress('read', { stream: terminal, env: XTERM });
    jest.advanceTimersByTime(600);
    progress.show(1_234_567);
    expect(written).toEqual(['\r\x1b[Kread 1,234,567']);
  });

  test('that begins later counts the time from there, and there is none where nothing can be erased', () => {
    const { terminal, written } = openTerminal(true);
    const begin = progressLater('downloading', { stream: terminal, env: XTERM });
    jest.advanceTimersByTime(60_000);
    const progress = begin?.();
    jest.advanceTimersByTime(4_000);
    progress?.show(100, 1_000);
    expect(written).toEqual([expect.stringContaining('10 %, 36 s left')]);
    expect(
      progressLater('downloading', { stream: openTerminal(false).terminal, env: XTERM }),
    ).toBeUndefined();
  });

  test.each([
    ['a file or a pipe', false, 'xterm'],
    ['a terminal that cannot erase a line', true, 'dumb'],
  ])('writes nothing into %s', (_, isTTY, term) => {
    const { terminal, written } = openTerminal(isTTY);
    const progress = createProgress('read', { stream: terminal, env: { TERM: term } });
    jest.advanceTimersByTime(10_000);
    progress.show(1, 2);
    progress.end();
    expect(written).toEqual([]);
  });
});

describe('a wait', () => {
  test('shows how long it lasts, and for how long at most, each second, and is gone in the end', async () => {
    const { terminal, written } = openTerminal(true);
    const waiting = showWait('waiting for nginx', later(2_500), {
      atMostMs: 10_000,
      stream: terminal,
      env: XTERM,
    });
    await jest.advanceTimersByTimeAsync(2_500);
    expect(await waiting).toBe('done');
    expect(written).toEqual([
      '\r\x1b[Kwaiting for nginx: 1 s of 10 s at most',
      '\r\x1b[Kwaiting for nginx: 2 s of 10 s at most',
      '\r\x1b[K',
    ]);
  });

  test('that is short, or fails, or has no terminal leaves nothing', async () => {
    const [short, none] = [openTerminal(true), openTerminal(false)];
    const works = [
      showWait('asking', later(900), { stream: short.terminal, env: XTERM }),
      showWait('asking', later(5_000), { stream: none.terminal, env: XTERM }),
    ];
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await Promise.all(works)).toEqual(['done', 'done']);
    await expect(
      showWait('asking', Promise.reject(new Error('no answer')), { stream: short.terminal, env: XTERM }),
    ).rejects.toThrow('no answer');
    expect([short.written, none.written]).toEqual([[], []]);
    expect(jest.getTimerCount()).toBe(0);
  });
});

async function later(ms: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return 'done';
}

function openTerminal(isTTY: boolean) {
  const written: string[] = [];
  const terminal = {
    isTTY,
    write(text: string) {
      written.push(text);
      return true;
    },
  };
  return { terminal, written };
}
