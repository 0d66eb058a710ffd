// What may be sent to the socket of the intake to fill the memory of a sidecar, or to keep it busy: all at once, until the slow posts
// have ended: `node intake-attacks.mjs SOCKET`. Prints, as JSON, how often each attack got which status.
import { connect } from 'node:net';

const [socketPath] = process.argv.slice(1).filter((text) => text.endsWith('.sock'));
const MIB = 1024 * 1024;
const LINES = 'POST /v1/lines HTTP/1.1\r\nHost: hotitem\r\n';
const ROUNDS = 6;
const BYTE_EVERY_MS = 250;

const heard = {};

/** Sends `bytes`, and resolves when the connection has ended. */
function send(attack, bytes, { goOn = false, reads = true } = {}) {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath });
    const more = goOn ? setInterval(() => socket.writable && socket.write('x'), BYTE_EVERY_MS) : undefined;
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(more);
      resolve();
    });
    if (reads) {
      socket.on('data', (text) => {
        for (const [, status] of text.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3})/g)) {
          heard[attack] ??= {};
          heard[attack][status] = (heard[attack][status] ?? 0) + 1;
        }
        if (!goOn) socket.end();
      });
    } else {
      socket.pause();
    }
    socket.write(bytes);
  });
}

async function again(attack, senders, bytes) {
  const one = async () => {
    for (let round = 0; round < ROUNDS; round++) await send(attack, bytes);
  };
  await Promise.all(Array.from({ length: senders }, one));
}

async function held(attack, senders, bytes) {
  await Promise.all(Array.from({ length: senders }, () => send(attack, bytes, { goOn: true })));
}

function post(body, length = body.length, field = '') {
  return Buffer.concat([Buffer.from(`${LINES}${field}Content-Length: ${length}\r\n\r\n`), Buffer.from(body)]);
}

const unusual = 'X-A: 1\r\n';
const small = `${LINES}${unusual}Content-Length: 2\r\n\r\na\n`;
await Promise.all([
  again('bad lines of two bytes', 3, post('x\n'.repeat(MIB))),
  again('empty lines', 1, post('\n'.repeat(2 * MIB))),
  again('a line without end', 1, post('x'.repeat(2 * MIB))),
  again('larger than it may be', 1, post(Buffer.alloc(8 * MIB, 'x\n'))),
  again('many in one piece', 8, Buffer.from(small.repeat(4_000))),
  again(
    'a body in chunks of a byte',
    2,
    Buffer.from(`${LINES}Transfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(200_000)}`),
  ),
  again('more than was asked for', 20, Buffer.concat([post('a\n'), Buffer.alloc(200_000, 'z')])),
  held('30 slow posts of 8 MiB', 30, post('x'.repeat(MIB), 8 * MIB)),
  held('slow posts within the limit', 100, post('x'.repeat(MIB), 2 * MIB)),
  held('heads without end', 300, Buffer.from(`${LINES}X-A: ${'a'.repeat(1_500)}`)),
  send('answers that nobody reads', Buffer.from(post('a\n').toString('latin1').repeat(2_000)), {
    goOn: true,
    reads: false,
  }),
]);
process.stdout.write(JSON.stringify(heard));
process.exit(0);
