import { getEventListeners } from 'node:events';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createBackoff } from '../../../service/backoff.ts';
import { keepTrying } from '../../../service/keep-trying.ts';
import { linkSignals } from '../../../service/linked-signal.ts';
import { whileBeating } from '../../../sink/heartbeat.ts';
import { changeOf } from '../../../store/kafka/platformatic/stream-change.ts';

let stopping: AbortController;
let aborting: AbortController;

beforeEach(() => {
  stopping = new AbortController();
  aborting = new AbortController();
});

describe('a linked signal', () => {
  test('fires with the reason of the first signal that fires', () => {
    const { signal } = linkSignals(aborting.signal, stopping.signal);
    expect(signal.aborted).toBe(false);
    stopping.abort('stop');
    aborting.abort('abort');

    expect(signal).toMatchObject({ aborted: true, reason: 'stop' });
  });

  test('has fired if one of them had', () => {
    stopping.abort('stop');

    expect(linkSignals(aborting.signal, stopping.signal).signal).toMatchObject({
      aborted: true,
      reason: 'stop',
    });
    expect(remembered()).toBe(0);
  });

  test('is released by the others when one has fired', () => {
    linkSignals(aborting.signal, stopping.signal);
    aborting.abort();

    expect(remembered()).toBe(0);
  });
});

describe('a signal that lives as long as the process does not accumulate', () => {
  test('each wait of a consumer for more', async () => {
    const stream = new PassThrough();
    for (let i = 0; i < 5; i++) {
      const changed = changeOf(stream, stopping.signal);
      stream.write('more');
      await changed;
      stream.read();
    }
    expect(remembered()).toBe(0);
  });

  test('each wait for more that it ends', async () => {
    const changed = changeOf(new PassThrough(), stopping.signal);
    stopping.abort(new Error('enough'));

    await expect(changed).rejects.toThrow();
  });

  test('each wait before a next attempt', async () => {
    const backoff = createBackoff({ firstMs: 1, longestMs: 1 });
    for (let i = 0; i < 5; i++) await backoff.wait(aborting.signal, stopping.signal);

    expect(remembered()).toBe(0);
  });

  test('each attempt', async () => {
    let attempts = 0;
    const work = async () => {
      if (++attempts < 3) throw new Error('not yet');
    };
    await keepTrying(work, { signal: aborting.signal, stopping: stopping.signal, onFailure: () => {} });

    expect(remembered()).toBe(0);
  });

  test('each batch', async () => {
    const context = { signal: aborting.signal, stopping: stopping.signal, heartbeat: async () => {} };
    for (let i = 0; i < 5; i++) await whileBeating(context, async () => {});

    expect(remembered()).toBe(0);
  });
});

/** What the two signals hold on to: listeners, and signals that AbortSignal.any made of them. */
function remembered(): number {
  return [stopping.signal, aborting.signal].reduce(
    (sum, signal) => sum + getEventListeners(signal, 'abort').length + dependants(signal),
    0,
  );
}

function dependants(signal: AbortSignal): number {
  const symbol = Object.getOwnPropertySymbols(signal).find(({ description }) =>
    description?.includes('kDependantSignals'),
  );
  const found: unknown = symbol === undefined ? undefined : Reflect.get(signal, symbol);
  // Not `instanceof Set`: jest's tests have a Set of their own.
  return typeof found === 'object' && found !== null && 'size' in found ? Number(found.size) : 0;
}
