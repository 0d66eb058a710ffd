import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { requireFree } from '../../../app/ports.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

test('a port that is in use is named, with another one', async () => {
  const port = await listen();
  await expect(requireFree([{ address: `127.0.0.1:${port}`, flag: '--listen' }])).rejects.toMatchObject({
    message: `127.0.0.1:${port} is used by another process`,
    hint: expect.stringMatching(/^Free it, or choose another: npm start -- --listen 127\.0\.0\.1:\d+$/),
  });
});

test.each([
  ['127.0.0.1:80x', 'is not HOST:PORT', '127.0.0.1:8180'],
  ['8080', 'is not HOST:PORT', '127.0.0.1:8180'],
  ['192.0.2.1:8080', 'is no address of this host', '127.0.0.1:8080'],
])('%s %s', async (address, problem, another) => {
  await expect(requireFree([{ address, flag: '--listen' }])).rejects.toMatchObject({
    message: `${address} ${problem}`,
    hint: `Choose another: npm start -- --listen ${another}`,
  });
});

async function listen(): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
