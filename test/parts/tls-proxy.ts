import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { freePort } from './ports.ts';

export type TlsProxy = {
  /** `https://127.0.0.1:…` */
  address: string;
  /** PEM file of the CA that signed its certificate. */
  caFile: string;
  close(): void;
};

/** TLS in front of a plain `target`, with a certificate of its own CA. openssl creates the keys in `folder`. */
export async function startTlsProxy(target: string, folder: string): Promise<TlsProxy> {
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const subject = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const key = (name: string) => ['-newkey', 'rsa:2048', '-nodes', '-keyout', file(`${name}.key`)];
  openssl('req', '-x509', ...key('ca'), '-subj', '/CN=test authority', '-days', '2', '-out', file('ca.pem'));
  const signed = ['-CA', file('ca.pem'), '-CAkey', file('ca.key')];
  openssl(
    'req',
    '-x509',
    ...key('own'),
    '-subj',
    '/CN=localhost',
    ...subject,
    ...signed,
    '-days',
    '2',
    '-out',
    file('own.pem'),
  );
  const server = createServer(
    { key: readFileSync(file('own.key')), cert: readFileSync(file('own.pem')), keepAliveTimeout: 75_000 },
    (asked, answer) => {
      const { method, url, headers } = asked;
      const passed = request(`${target}${url}`, { method, headers }, (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
      });
      passed.on('error', () => answer.destroy());
      asked.pipe(passed);
    },
  );
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { address: `https://127.0.0.1:${port}`, caFile: file('ca.pem'), close };

  function close(): void {
    server.closeAllConnections();
    server.close();
  }
}
