import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type StreamReaders = {
  /** Resolves with what the reading took. */
  stop(): Promise<Reading>;
};

export type Reading = { cpuSeconds: number; bytes: number; seconds: number };

/** That many readers of the live page's stream, in a process of their own. Resolves once each has begun to read. */
export async function startStreamReaders(admin: string, count: number): Promise<StreamReaders> {
  const script = join(import.meta.dirname, 'stream-readers.mjs');
  const readers = spawn(process.execPath, [script, admin, String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: readers.stdout })[Symbol.asyncIterator]();
  await next();
  return {
    async stop() {
      readers.stdin.end();
      const reading = JSON.parse(await next()) as Reading;
      if (readers.exitCode === null) await once(readers, 'exit');
      return reading;
    },
  };

  async function next(): Promise<string> {
    const { value, done } = await lines.next();
    if (done) throw new Error('a reader of the stream was disconnected');
    return value;
  }
}
