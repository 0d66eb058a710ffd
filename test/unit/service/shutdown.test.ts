import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createLog } from '../../../service/log.ts';
import { createShutdown, type Shutdown } from '../../../service/shutdown.ts';

let shutdown: Shutdown;
let stopped: string[];
let logged: string[];

beforeEach(() => {
  stopped = [];
  logged = [];
  const log = createLog('error', { write: (line) => logged.push(JSON.parse(line).part) });
  shutdown = createShutdown({ deadlineMs: 200, log });
});

describe('a shutdown', () => {
  test('stops first what started last', async () => {
    for (const name of ['spool', 'tail', 'intake']) add(name);

    expect(await shutdown.run()).toBe(true);
    expect(stopped).toEqual(['intake', 'tail', 'spool']);
  });

  test('continues after a step that fails, and after one that hangs', async () => {
    add('spool');
    shutdown.add('tail', () => new Promise(() => {}));
    shutdown.add('intake', () => Promise.reject(new Error('no')));

    expect(await shutdown.run()).toBe(false);
    expect(stopped).toEqual(['spool']);
    expect(logged).toEqual(['intake', 'tail']);
  });

  test('waits no longer for a step that hangs when the clock is set back', async () => {
    const past = Date.now() - 3_600_000;
    const clock = jest.spyOn(Date, 'now');
    shutdown.add('tail', () => new Promise(() => {}));
    shutdown.add('intake', async () => void clock.mockReturnValue(past));

    expect(await shutdown.run().finally(() => clock.mockRestore())).toBe(false);
    expect(logged).toEqual(['tail']);
  });

  test('runs once, however often it is called', async () => {
    add('spool');

    expect(await Promise.all([shutdown.run(), shutdown.run()])).toEqual([true, true]);
    expect(stopped).toEqual(['spool']);
  });

  test('runs a step that is added meanwhile, and the current one only once', async () => {
    add('spool');
    shutdown.add('tail', async () => {
      if (!stopped.includes('tail')) add('index');
      stopped.push('tail');
      await sleep(1);
    });
    add('intake');

    expect(await shutdown.run()).toBe(true);
    expect(stopped).toEqual(['intake', 'tail', 'index', 'spool']);
  });

  test('waits for what is still starting, and stops it', async () => {
    add('spool');
    const starting = sleep(20).then(() => add('nginx'));

    expect(await shutdown.run(starting)).toBe(true);
    expect(stopped).toEqual(['spool', 'nginx']);
  });

  test('ignores a start that fails because its dependency was stopped', async () => {
    add('spool');

    expect(await shutdown.run(sleep(1).then(() => Promise.reject(new Error('closed'))))).toBe(true);
  });

  test('does not wait forever for a start that hangs', async () => {
    add('spool');

    expect(await shutdown.run(new Promise(() => {}))).toBe(false);
    expect(stopped).toEqual(['spool']);
    expect(logged).toEqual(['start']);
  });

  test('stops at once what starts after its end', async () => {
    await shutdown.run();
    add('intake');

    expect(stopped).toEqual(['intake']);
  });
});

function add(name: string): void {
  shutdown.add(name, async () => {
    stopped.push(name);
  });
}
