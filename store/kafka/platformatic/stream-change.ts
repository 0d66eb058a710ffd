import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { linkSignals } from '../../../service/linked-signal.ts';

/** Resolves when there may be more in `stream`, or it has ended. Rejects when it fails, or `stopping` fires. */
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
