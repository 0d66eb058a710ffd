import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createControl } from '../../../sidecar/control.ts';
import { createPollRoute } from '../../../sidecar/poll-route.ts';

let folder: string;
let server: Server;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hotitem-control-'));
  const control = createControl(join(folder, 'capture.json'), () => {});
  const books = { report: () => {}, accounts: () => undefined };
  server = createServer(createPollRoute({ control, books, warn: () => {} }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

test.each(['POST', 'PUT', 'DELETE'])('%s is not for the workers of nginx', async (method) => {
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/v1/control`;
  expect((await fetch(url, { method, body: '{"mode":"off"}' })).status).toBe(405);
  expect(await (await fetch(url)).json()).toMatchObject({ mode: 'default' });
});

test('an nginx that asks again gets the answer to its poll before, and no other nginx does', async () => {
  const order: string[] = [];
  const first = poll('instance=7&wait=4000', 'first of 7');
  const other = poll('instance=8&wait=1000', '8');
  await poll('instance=7&wait=0', 'last of 7');
  await Promise.all([first, other]);

  expect(order.at(-1)).toBe('8');
  expect(order).toHaveLength(3);

  async function poll(query: string, name: string): Promise<void> {
    const { port } = server.address() as AddressInfo;
    const { status } = await fetch(`http://127.0.0.1:${port}/v1/control?version=0&started=1&${query}`);
    expect(status).toBe(204);
    order.push(name);
  }
});
