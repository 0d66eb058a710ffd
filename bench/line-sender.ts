import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

export type LineLoad = {
  requests: number;
  /** In requests that were answered 204. */
  events: number;
  /** Requests with another answer, and connections that broke. */
  refused: number;
  failed: number;
  seconds: number;
  /** Of the sender. */
  cpuSeconds: number;
};

export type LineLoadOptions = {
  /** The intake's socket. */
  socket: string;
  connections: number;
  /** It ends after this long, or after so many requests. */
  seconds: number;
  mostRequests?: number;
  linesARequest: number;
};

const run = promisify(execFile);

/** Posts lines as fast as they are answered, from a process of its own (line-sender.mjs). */
export async function sendLines(options: LineLoadOptions): Promise<LineLoad> {
  const { socket, connections, seconds, linesARequest, mostRequests = Number.MAX_SAFE_INTEGER } = options;
  const script = join(import.meta.dirname, 'line-sender.mjs');
  const args = [script, socket, ...[connections, seconds, linesARequest, mostRequests].map(String)];
  const { stdout } = await run(process.execPath, args);
  return JSON.parse(stdout) as LineLoad;
}
