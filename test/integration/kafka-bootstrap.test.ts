import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { temporaryFolder } from '../parts/guard.ts';
import { freePorts } from '../parts/ports.ts';
import { startProcess } from '../parts/process.ts';
import { startService } from '../parts/service.ts';
import { until } from '../parts/until.ts';
import { lineAt, postLines } from './post-lines.ts';
import { tooOften } from './too-often.ts';

jest.setTimeout(300_000);
const PROGRAM = join(import.meta.dirname, '../../dist/hotitem.mjs');
/** Connections that were closed: each client has tried again and again by then. */
const MANY = 6;

let server: Server;
let bootstrap: string;
let closed = 0;

beforeAll(async () => {
  server = createServer((socket) => {
    closed++;
    socket.on('error', () => {});
    socket.end();
  });
  const [port = 0] = await freePorts(1);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  bootstrap = `127.0.0.1:${port}`;
});
afterAll(() => void server?.close());

test.each(['kafkajs', 'platformatic'])(
  'a broker that accepts and closes connections causes one log line a minute per cause (%s)',
  async (client) => {
    const folder = temporaryFolder('bootstrap');
    const [admin, sinkAdmin] = await freePorts(2);
    const env = {
      HOTITEM_HOME: folder.path,
      HOTITEM_KAFKA_CLIENT: client,
      KAFKA_BROKERS: bootstrap,
      HOTITEM_ADMIN_LISTEN: `127.0.0.1:${admin}`,
      HOTITEM_ADMIN_SINK_LISTEN: `127.0.0.1:${sinkAdmin}`,
    };
    const files = { sidecar: join(folder.path, 'sidecar.log'), sink: join(folder.path, 'sink.log') };
    const sidecar = await startService({
      args: ['sidecar'],
      env,
      admin: env.HOTITEM_ADMIN_LISTEN,
      logFile: files.sidecar,
    });
    await postLines(join(folder.path, 'run/intake.sock'), [lineAt(Date.now())]);
    await tries(files.sidecar);
    await sidecar.stop();
    const sink = startProcess({
      name: 'hotitem sink',
      command: [process.execPath, PROGRAM, 'sink'],
      env: { PATH: process.env.PATH, ...env },
      logFile: files.sink,
    });
    await tries(files.sink);
    await sink.stop();
    for (const file of Object.values(files)) {
      const said = warningsIn(file).map((line) => JSON.parse(line) as { time: string; msg: string });
      expect(tooOften(said)).toEqual([]);
    }
    folder.remove();
  },
);

/** Until the client has been turned away many times, and the service has said so. */
async function tries(file: string): Promise<void> {
  const before = closed;
  await until(() => closed >= before + MANY && warningsIn(file).length > 0, {
    timeoutMs: 120_000,
    what: `${MANY} connections and a warning`,
    detail: () => readFileSync(file, 'utf8'),
  });
}

function warningsIn(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"level":40'));
}
