import { setTimeout as sleep } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import { abortable } from '../../service/abortable.ts';
import { createBackoff } from '../../service/backoff.ts';
import type { Batch, Consumer, Handler } from '../event-log.ts';
import type { Progress } from './progress.ts';
import type { Events, Limits, Reader } from './reader.ts';
import type { Segments } from './segments.ts';

export type ConsumerOptions = Limits & {
  reader: Reader;
  progress: Progress;
  segments: Segments;
  handle: Handler;
  /** How long to wait for a batch to fill, ms. 0: deliver at once; batches form while a handler works. */
  lingerMs: number;
  onReadFailure: (error: unknown) => void;
  onRefused: (error: unknown) => void;
};

const BACKOFF = { firstMs: 50, longestMs: 1000 };

/** Passes batches from `reader` to `handle`, one after the other, until it is closed. */
export function startConsumer(options: ConsumerOptions): Consumer {
  const { reader, progress, segments, handle, lingerMs, maxEvents, onReadFailure, onRefused } = options;
  /** No further batch is started. */
  const stopping = new AbortController();
  /** The current batch is aborted, too. */
  const aborting = new AbortController();
  const context = { signal: aborting.signal, stopping: stopping.signal, heartbeat: async () => {} };
  const running = run();
  return { failure: () => undefined, close };

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await segments.waitBeyond(reader.position.sequence, stopping.signal);
      if (lingerMs > 0) await linger();
      const events = await read();
      const done = events === undefined || (await deliver(toBatch(events)));
      if (done) progress.advance(reader.position);
    }
  }

  async function linger(): Promise<void> {
    if (segments.nextSequence - reader.position.sequence >= maxEvents) return;
    await sleep(lingerMs, undefined, { signal: stopping.signal }).catch(() => {});
  }

  async function read(): Promise<Events | undefined> {
    const backoff = createBackoff(BACKOFF);
    while (!stopping.signal.aborted) {
      try {
        return await reader.next(options);
      } catch (error) {
        onReadFailure(error);
        await backoff.wait(stopping.signal).catch(() => {});
      }
    }
    return undefined;
  }

  /** Resolves with whether the batch was handled; false if the consumer was closed first. */
  async function deliver(batch: Batch): Promise<boolean> {
    const backoff = createBackoff(BACKOFF);
    while (!stopping.signal.aborted) {
      try {
        await abortable(aborting.signal, handle(batch, context));
        return true;
      } catch (error) {
        if (aborting.signal.aborted || (stopping.signal.aborted && isAbort(error))) return false;
        onRefused(error);
        await backoff.wait(stopping.signal).catch(() => {});
      }
    }
    return false;
  }

  async function close(graceMs: number): Promise<void> {
    stopping.abort();
    const timer = setTimeout(() => aborting.abort(), graceMs);
    await running;
    clearTimeout(timer);
    await reader.close();
    await progress.flush();
  }
}

/** The handler ended its wait for another attempt, because the consumer is being closed. */
function isAbort(error: unknown): boolean {
  return isNativeError(error) && error.name === 'AbortError';
}

function toBatch({ first, values }: Events): Batch {
  return { source: 'spool', values, position: (i) => String(first + i) };
}
