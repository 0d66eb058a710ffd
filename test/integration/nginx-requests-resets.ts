import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { LARGE } from './nginx-requests-origin.ts';
import { openSocket } from './nginx-requests-wire.ts';

/** A moment at which a client leaves, by a reset. */
export type Stage = {
  name: string;
  sends: string;
  /** nginx has all that makes a view. */
  complete: boolean;
  /** Leaves only when an answer has begun. */
  answered: boolean;
  /** How long it stays after sending, ms. */
  staysMs: number;
  /** The sidecar takes the line and says nothing. */
  hangs: boolean;
  /** For every nginx, also where time is short. */
  usual: boolean;
};

const HOST = 'reset.invalid';
const HEAD = `Host: ${HOST}\r\nUser-Agent: reset\r\n`;
const AT_ONCE = 20;

export const STAGES: Stage[] = [
  stage({ name: 'after connecting', sends: '' }),
  stage({ name: 'in the request line', sends: 'GET /web/shelf/re' }),
  stage({ name: 'after the request line', sends: 'GET /web/shelf/reset HTTP/1.1\r\n' }),
  stage({ name: 'in the headers', sends: `GET /web/shelf/reset HTTP/1.1\r\n${HEAD}` }),
  stage({
    name: 'in the body',
    sends: `POST /web/shelf/reset HTTP/1.1\r\n${HEAD}Content-Length: 100000\r\n\r\n${'x'.repeat(5000)}`,
    complete: true,
  }),
  stage({
    name: 'in an unbuffered body',
    sends: `POST /stream/reset HTTP/1.1\r\n${HEAD}Content-Length: 100000\r\n\r\n${'x'.repeat(5000)}`,
    complete: true,
  }),
  stage({ name: 'right after sending', sends: whole('/web/shelf/reset'), complete: true, usual: true }),
  stage({
    name: '5 ms later in the body',
    sends: `POST /web/shelf/reset HTTP/1.1\r\n${HEAD}Content-Length: 100000\r\n\r\n${'x'.repeat(5000)}`,
    complete: true,
    staysMs: 5,
  }),
  stage({ name: '5 ms after sending', sends: whole('/file/4711.html'), complete: true, staysMs: 5 }),
  stage({
    name: 'right after sending, a page from a folder',
    sends: whole('/file/4711.html'),
    complete: true,
  }),
  stage({ name: 'right after sending, a large file', sends: whole('/file/long.bin'), complete: true }),
  stage({
    name: 'in the answer',
    sends: whole(`/web/shelf/${LARGE}`),
    complete: true,
    answered: true,
    usual: true,
  }),
  stage({ name: 'in a large file', sends: whole('/file/long.bin'), complete: true, answered: true }),
  stage({
    name: 'in the answer while the sidecar hangs',
    sends: whole(`/web/shelf/${LARGE}`),
    complete: true,
    answered: true,
    hangs: true,
  }),
  stage({
    name: 'right after sending while the sidecar hangs',
    sends: whole('/item/reset'),
    complete: true,
    hangs: true,
  }),
];

/** That many clients, some at a time, each of which leaves at this stage. */
export async function resetAt(stage: Stage, { port, count }: { port: number; count: number }): Promise<void> {
  let left = count;
  const clients = Array.from({ length: AT_ONCE }, async () => {
    while (left > 0) {
      left -= 1;
      await reset(await openSocket(port), stage);
    }
  });
  await Promise.all(clients);
}

/** Its own: on a busy machine nginx may come to the last views of a stage only in the next. */
export function hostOf(stage: Stage): string {
  return `${STAGES.indexOf(stage)}.${HOST}`;
}

async function reset(socket: Socket, stage: Stage): Promise<void> {
  const { sends, answered, staysMs } = stage;
  const closed = once(socket, 'close');
  if (answered) socket.once('data', () => socket.pause().resetAndDestroy());
  socket.write(sends.replace(HOST, hostOf(stage)), 'latin1', async () => {
    if (answered) return;
    if (staysMs > 0) await delay(staysMs);
    socket.resetAndDestroy();
  });
  await closed;
}

function stage(given: Pick<Stage, 'name' | 'sends'> & Partial<Stage>): Stage {
  return { complete: false, answered: false, staysMs: 0, hangs: false, usual: false, ...given };
}

function whole(target: string): string {
  return `GET ${target} HTTP/1.1\r\n${HEAD}\r\n`;
}
