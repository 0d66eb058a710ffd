import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { linkSignals } from '../../../service/linked-signal.ts';

/** Resolves when `stream` may have more, or has ended. Rejects when it fails, or `stopping` is aborted. */
export async function changeOf(stream: Readable, stopping: AbortSignal): Promise<void> {
  const settled = new AbortController();
  const { signal, unlink } = linkSignals(stopping, settled.signal);
  try {
    await Promise.race([once(stream, 'readable', { signal }), once(stream, 'close', { signal })]);
  } finally {
    settled.abort();
    unlink();
  }
}
