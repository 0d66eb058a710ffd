import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createPageRequests, type PageRequests } from '../../../protect/page-request.ts';

const ASKED = { mode: 'probe', host: 'shop.test', target: '/item/1', word: '0' } as const;

let server: Server;
let requests: PageRequests;
/** Of each connection, in the order in which they were made, how many requests came. */
let counts: Map<Socket, number>;
/** How many requests of a connection are answered before it is reset. */
let answered: number;

beforeEach(async () => {
  counts = new Map();
  server = createServer(({ socket }, response) => {
    const count = (counts.get(socket) ?? 0) + 1;
    counts.set(socket, count);
    if (count > answered) socket.resetAndDestroy();
    else response.end('page');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  requests = createPageRequests({ address: { host: '127.0.0.1', port }, https: false, timeoutMs: 60_000 });
});
afterEach(() => {
  requests.close();
  server.closeAllConnections();
  server.close();
});

test('a kept connection that nginx closes just then, as at a reload, is no failure', async () => {
  answered = 1;
  expect(await requests.ask(ASKED)).toMatchObject({ status: 200 });
  expect(await requests.ask(ASKED)).toMatchObject({ status: 200, isWhole: true });
  expect([...counts.values()]).toEqual([2, 1]);
});

test('a new connection that is reset is one', async () => {
  answered = 0;
  await expect(requests.ask(ASKED)).rejects.toThrow('ECONNRESET');
  expect([...counts.values()]).toEqual([1]);
});
