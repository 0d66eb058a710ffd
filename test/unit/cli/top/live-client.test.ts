import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { liveStates } from '../../../../cli/top/live-client.ts';

let server: Server;
let base: string;
let streams: ServerResponse[];

beforeEach(async () => {
  streams = [];
  server = createServer((_, answer) => {
    streams.push(answer);
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.write(snapshot(streams.length));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  base = `http://127.0.0.1:${address.port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('the stream of the hot list', () => {
  test('that falls silent after its headers is not live', async () => {
    const states = open(2_500);
    expect(await next(states)).toBe(1);
    await expect(states.next()).rejects.toThrow('it says nothing any more');
  });

  test('is live as long as something comes', async () => {
    const states = open(4_000);
    expect(await next(states)).toBe(1);
    const timer = setInterval(() => streams[0]?.write(': alive\n\n'), 50);
    const later = setTimeout(() => streams[0]?.write(snapshot(7)), 4_500);
    try {
      expect(await next(states)).toBe(7);
    } finally {
      clearInterval(timer);
      clearTimeout(later);
      await states.return(undefined);
    }
  });

  test('whose end is announced is followed by the next', async () => {
    const states = open(10_000);
    expect(await next(states)).toBe(1);
    streams[0]?.end('event: again\ndata:\n\n');
    expect(await next(states)).toBe(2);
    streams[1]?.end();
    await expect(states.next()).rejects.toThrow(/ended the stream$/);
  });
});

function open(timeoutMs: number) {
  return liveStates({ base, signal: new AbortController().signal, timeoutMs });
}

/** The clock of the next state. */
async function next(states: ReturnType<typeof open>): Promise<number | undefined> {
  const { value } = await states.next();
  return value?.head.now;
}

function snapshot(now: number): string {
  return `event: snapshot\ndata: ${JSON.stringify({ head: { now }, items: [], happened: [] })}\n\n`;
}
