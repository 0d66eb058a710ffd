// Readers of the live page's stream, which read all that they are sent and look at none of it: `node stream-readers.mjs HOST:PORT COUNT`.
// Writes a line once each of them has something, and, when its input has ended, what the reading took, as JSON: the CPU seconds of this
// process, the bytes and the seconds since that first line.
//
// A process of its own, and a cheap one: what it takes of the cores is not the sidecar's.
import { connect } from 'node:net';

const [address, count] = [process.argv[2], Number(process.argv[3])];
const [host, port] = address.split(':');
const ROOM = 64 * 1024;

let bytes = 0;
await Promise.all(Array.from({ length: count }, read));
const before = { cpu: process.cpuUsage(), bytes, at: performance.now() };
process.stdout.write('reading\n');
process.stdin.on('end', () => {
  const { user, system } = process.cpuUsage(before.cpu);
  const seconds = (performance.now() - before.at) / 1000;
  const outcome = { cpuSeconds: (user + system) / 1e6, bytes: bytes - before.bytes, seconds };
  process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0));
});
process.stdin.resume();

/** Resolves with the first piece. A stream that ends early would make the rest look cheaper. */
function read() {
  return new Promise((resolve) => {
    const onread = { buffer: Buffer.allocUnsafe(ROOM), callback };
    const socket = connect({ host, port: Number(port), onread });
    socket.write(`GET /api/v1/live HTTP/1.1\r\nHost: ${address}\r\n\r\n`);
    socket.on('close', () => process.exit(1));

    function callback(many) {
      bytes += many;
      resolve();
    }
  });
}
