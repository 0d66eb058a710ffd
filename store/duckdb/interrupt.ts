import type { DuckDBConnection } from '@duckdb/node-api';

const AGAIN_MS = 50;

/**
 * Settles as `query` does, which runs on `connection` alone; DuckDB is told to give it up when `signal` fires. Told again until it
 * has ended: DuckDB forgets an interrupt that comes before it has begun to execute.
 */
export async function interruptible<T>(
  connection: Pick<DuckDBConnection, 'interrupt'>,
  signal: AbortSignal,
  query: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    return await query();
  } finally {
    signal.removeEventListener('abort', interrupt);
    clearInterval(timer);
  }

  function interrupt(): void {
    connection.interrupt();
    timer = setInterval(() => connection.interrupt(), AGAIN_MS);
  }
}
