// A server of Node that does nothing but answer: what the machine itself makes one wait for. Prints its port.
import { createServer } from 'node:http';

const server = createServer((_, response) => response.end('ok\n'));
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
