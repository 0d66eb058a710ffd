// Posts lines to the intake's socket as nginx does, over keep-alive connections that each send their next request when they
// have their answer: `node line-sender.mjs SOCKET CONNECTIONS SECONDS LINES_A_REQUEST MOST_REQUESTS`. Writes what came out,
// as JSON.
//
// A process of its own, and a cheap one: requests lie prepared, and only the ids in them are changed, in place.
import { randomInt } from 'node:crypto';
import { connect } from 'node:net';
import { sampleLine } from './sample-line.mjs';

const [socket, connections, seconds, linesARequest, mostRequests] = [
  process.argv[2],
  ...process.argv.slice(3, 7).map((text) => Number(text)),
];

const PREPARED_REQUESTS = linesARequest === 1 ? 32 : 2;
const HEX = Buffer.from('0123456789abcdef');
const ID_AT = '2\t1795355712.163\t'.length;
const LINE_FEED = 0x0a;

const outcome = { requests: 0, events: 0, refused: 0, failed: 0 };
// Ids of two runs must not meet.
const own = randomInt(2 ** 32);
let serial = 0;
let sent = 0;
let ending = false;

const began = performance.now();
setTimeout(() => {
  ending = true;
}, seconds * 1000).unref();
await Promise.all(Array.from({ length: connections }, (_, i) => send(i)));
const { user, system } = process.cpuUsage();
process.stdout.write(
  `${JSON.stringify({ ...outcome, seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 })}\n`,
);

function send(connection) {
  const requests = Array.from({ length: PREPARED_REQUESTS }, (_, i) =>
    prepare(connection * PREPARED_REQUESTS + i),
  );
  let turn = 0;
  return new Promise((resolve) => {
    const client = connect({ path: socket }, next);
    client.on('data', (answer) => {
      // An answer of the intake is one short piece: its status is all that is looked at.
      const status = answer.toString('latin1', 9, 12);
      outcome.requests++;
      if (status === '204') outcome.events += linesARequest;
      else outcome.refused++;
      next();
    });
    client.on('error', () => outcome.failed++);
    client.on('close', () => resolve());

    function next() {
      if (ending || sent === mostRequests) {
        client.end();
        return;
      }
      sent++;
      const { bytes, ids } = requests[turn++ % requests.length];
      for (const at of ids) stamp(bytes, at);
      client.write(bytes);
    }
  });
}

/** A request, and where the ids of its lines begin. */
function prepare(seed) {
  const lines = Array.from({ length: linesARequest }, (_, i) => sampleLine(seed * linesARequest + i));
  const body = lines.join('');
  const head = `POST /v1/lines HTTP/1.1\r\nHost: hotitem\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const bytes = Buffer.from(head + body, 'latin1');
  const ids = [];
  for (let at = head.length; at < bytes.length; at = bytes.indexOf(LINE_FEED, at) + 1) ids.push(at + ID_AT);
  return { bytes, ids };
}

/** Makes the id that begins at `at` one that nobody has had: a serial number in its first half, scattered like nginx's. */
function stamp(bytes, at) {
  const number = serial++;
  const scattered = Math.imul(number, 0x9e3779b1) ^ own;
  for (let digit = 0; digit < 8; digit++) {
    bytes[at + digit] = HEX[(number >>> (28 - 4 * digit)) & 15];
    bytes[at + 8 + digit] = HEX[(scattered >>> (28 - 4 * digit)) & 15];
  }
}
