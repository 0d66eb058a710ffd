// Posts lines to the intake's socket as nginx does, over keep-alive connections that each send their next request when they
// have their answer: `node line-sender.mjs SOCKET CONNECTIONS SECONDS LINES_A_REQUEST MOST_REQUESTS`. Writes what came out,
// as JSON.
//
// A process of its own, and a cheap one: requests lie prepared, and only the times, ids and addresses in them are changed, in place: a view
// of last week, or the same visitor again and again, heats nothing.
import { randomInt } from 'node:crypto';
import { connect } from 'node:net';
import { sampleLine } from './sample-line.mjs';

const [socket, connections, seconds, linesARequest, mostRequests] = [
  process.argv[2],
  ...process.argv.slice(3, 7).map((text) => Number(text)),
];

const PREPARED_REQUESTS = linesARequest === 1 ? 32 : 2;
const HEX = Buffer.from('0123456789abcdef');
const TIME_AT = '2\t'.length;
const ID_AT = '2\t1795355712.163\t'.length;
/** Four digits of the address, see sample-line.mjs: those of its third and its fourth octet. */
const ADDRESS_DIGITS = [0, 1, 4, 5].map((at) => ID_AT + 32 + '\t198.51.1'.length + at);
const ZERO = 0x30;
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
      const { bytes, lines } = requests[turn++ % requests.length];
      const time = Buffer.from((Date.now() / 1000).toFixed(3));
      for (const at of lines) stamp(bytes, at, time);
      client.write(bytes);
    }
  });
}

/** A request, and where its lines begin. */
function prepare(seed) {
  const lines = Array.from({ length: linesARequest }, (_, i) => sampleLine(seed * linesARequest + i));
  const body = lines.join('');
  const head = `POST /v1/lines HTTP/1.1\r\nHost: hotitem\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const bytes = Buffer.from(head + body, 'latin1');
  const starts = [];
  for (let at = head.length; at < bytes.length; at = bytes.indexOf(LINE_FEED, at) + 1) starts.push(at);
  return { bytes, lines: starts };
}

/**
 * Makes the line that begins at `at` one of now, by another visitor, with an id that nobody has had: a serial number in its first half,
 * scattered like nginx's.
 */
function stamp(bytes, at, time) {
  const number = serial++;
  const scattered = Math.imul(number, 0x9e3779b1) ^ own;
  for (let i = 0; i < time.length; i++) bytes[at + TIME_AT + i] = time[i];
  for (let digit = 0; digit < 8; digit++) {
    bytes[at + ID_AT + digit] = HEX[(number >>> (28 - 4 * digit)) & 15];
    bytes[at + ID_AT + 8 + digit] = HEX[(scattered >>> (28 - 4 * digit)) & 15];
  }
  let digits = (scattered >>> 0) % 10_000;
  for (const place of ADDRESS_DIGITS) {
    bytes[at + place] = ZERO + (digits % 10);
    digits = Math.floor(digits / 10);
  }
}
