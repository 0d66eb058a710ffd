// What may be sent to the socket of the intake to fill the memory of a sidecar, or to keep it busy: all at once, until the slow posts
// have ended, or one attack again and again: `node --eval "$(cat intake-attacks.mjs)" SOCKET [ATTACK SECONDS]`, or `SOCKET '' '' ROUNDS`.
// Prints, as JSON, how often each attack got which status.
import { connect } from 'node:net';

const [socketPath, only = '', seconds, rounds = '6'] = process.argv.slice(1);
const MIB = 1024 * 1024;
const HOST = 'HTTP/1.1\r\nHost: hotitem\r\n';
const LINES = `POST /v1/lines ${HOST}`;
const BYTE_EVERY_MS = 250;
/** As long as nginx waits for the capture mode. */
const POLL = 'GET /v1/control?wait=900';
const end = only === '' ? undefined : performance.now() + Number(seconds) * 1000;

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

/** Each of them again when it was answered. */
async function again(attack, senders, bytes) {
  const one = async (_, i) => {
    for (let round = 0; end === undefined ? round < Number(rounds) : performance.now() < end; round++)
      await send(attack, typeof bytes === 'function' ? bytes(i) : bytes);
  };
  await Promise.all(Array.from({ length: senders }, one));
}

/** Each of them keeps sending a byte, until it loses its connection. */
async function held(attack, senders, bytes) {
  const one = async () => {
    do await send(attack, bytes, { goOn: true });
    while (end !== undefined && performance.now() < end);
  };
  await Promise.all(Array.from({ length: senders }, one));
}

function post(body, length = body.length, field = '') {
  return Buffer.concat([Buffer.from(`${LINES}${field}Content-Length: ${length}\r\n\r\n`), Buffer.from(body)]);
}

/** The version of the capture mode: who asks for another one does not wait. */
function currentVersion() {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath }, () => socket.write(`GET /v1/control ${HOST}\r\n`));
    socket.on('data', (text) => {
      resolve(/"version":(\d+)/.exec(text.toString('latin1'))?.[1] ?? 0);
      socket.end();
    });
  });
}

const unusual = 'X-A: 1\r\n';
const small = `${LINES}${unusual}Content-Length: 2\r\n\r\na\n`;
const version = await currentVersion();
const poll = `${POLL}&version=${version}`;
const ATTACKS = {
  'bad lines of two bytes': (name) => again(name, 3, post('x\n'.repeat(MIB))),
  'as many bad lines as may be': (name) => again(name, 30, post('x\n'.repeat(999))),
  'empty lines': (name) => again(name, 1, post('\n'.repeat(2 * MIB))),
  'a line without end': (name) => again(name, 1, post('x'.repeat(2 * MIB))),
  'larger than it may be': (name) => again(name, 1, post(Buffer.alloc(8 * MIB, 'x\n'))),
  'many in one piece': (name) => again(name, 8, Buffer.from(small.repeat(4_000))),
  'a body in chunks of a byte': (name) =>
    again(name, 2, Buffer.from(`${LINES}Transfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(200_000)}`)),
  'more than was asked for': (name) =>
    again(name, 20, Buffer.concat([post('a\n'), Buffer.alloc(200_000, 'z')])),
  '30 slow posts of 8 MiB': (name) => held(name, 30, post('x'.repeat(MIB), 8 * MIB)),
  'slow posts within the limit': (name) => held(name, 100, post('x'.repeat(MIB), 2 * MIB)),
  'heads without end': (name) => held(name, 300, Buffer.from(`${LINES}X-A: ${'a'.repeat(1_500)}`)),
  '300 polls': (name) =>
    again(name, 300, (i) => `${poll}&started=${1_700_000_000_000 + i}&instance=${i} ${HOST}\r\n`),
  'answers that nobody reads': (name) =>
    send(name, Buffer.from(post('a\n').toString('latin1').repeat(2_000)), { goOn: true, reads: false }),
};
/** As many as there may be connections, so each of them is made by itself. */
const ALONE = {
  '900 slow posts': (name) => held(name, 900, post('x'.repeat(1_000), 2 * MIB)),
  '800 polls': (name) =>
    again(name, 800, (i) => `${poll}&started=${1_700_000_000_000 + i}&instance=${i} ${HOST}\r\n`),
  '900 posts of bad lines': (name) => again(name, 900, post('x\n'.repeat(999))),
};
const all = { ...ATTACKS, ...ALONE };
if (only === 'list') heard.list = Object.keys(all);
else if (only === '') await Promise.all(Object.entries(ATTACKS).map(([name, attack]) => attack(name)));
else await all[only](only);
process.stdout.write(JSON.stringify(heard));
process.exit(0);
