import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { cachePathFindings } from '../../../../nginx-setup/check/cache-path-rules.ts';
import type { Facts } from '../../../../nginx-setup/check/facts.ts';
import { keeperPathFindings } from '../../../../nginx-setup/check/keeper-path-rules.ts';
import { phpOf } from '../../../../nginx-setup/program/running-php.ts';
import { temporaryFolder } from '../../../parts/guard.ts';
import { factsOf, HTTP, SERVER } from './shop-facts.ts';

const PROTECTED = {
  http: `${HTTP} include h/http-hot.conf; include h/http-protect.conf;`,
  server: `listen 80; listen 127.0.0.1:9188; ${SERVER} include h/server-hot.conf; include h/server-protect.conf;`,
};
/** Neither the owner of the folders here, nor in their group. */
const STRANGER = 54_321;

let folder: ReturnType<typeof temporaryFolder>;
let cache: string;

beforeEach(() => {
  folder = temporaryFolder('cache-path');
  cache = join(folder.path, 'cache');
  for (const kind of ['proxy', 'fastcgi']) mkdirSync(`${cache}-${kind}`, { mode: 0o700 });
});
afterEach(() => folder.remove());

test('folders as nginx makes them have no finding', async () => {
  expect(await found({})).toEqual([]);
});

test.each([
  [0o750, 'warning'],
  [0o704, 'warning'],
  [0o770, 'error'],
  [0o702, 'error'],
])('a cache folder of mode %o is open to others', async (mode, severity) => {
  chmodSync(`${cache}-fastcgi`, mode);
  expect(await found({})).toMatchObject([
    { id: 'cache-open', severity, command: `chmod 700 ${cache}-fastcgi` },
  ]);
});

test('a folder above that others may write to lets them replace it, unless it is sticky as /tmp is', async () => {
  const above = join(folder.path, 'above');
  mkdirSync(join(above, 'kept-proxy'), { recursive: true, mode: 0o700 });
  mkdirSync(join(above, 'kept-fastcgi'), { mode: 0o700 });
  chmodSync(above, 0o777);
  const at = (mode: number) => {
    chmodSync(above, mode);
    return found({ cache: join(above, 'kept') });
  };
  expect(await at(0o777)).toMatchObject([
    { id: 'cache-open', what: expect.stringContaining(`${above} has mode 0777`) },
    { id: 'cache-open' },
  ]);
  expect(await at(0o1777)).toEqual([]);
});

test('a folder that the workers cannot use, or that is another user’s', async () => {
  const ids = (await found({ uid: STRANGER })).map(({ id }) => id);
  expect(new Set(ids)).toEqual(
    new Set(process.getuid?.() === 0 ? ['cache-not-writable'] : ['cache-open', 'cache-not-writable']),
  );
});

test('a folder above that is not there keeps nginx from starting', async () => {
  expect(await found({ cache: join(folder.path, 'none/kept') })).toMatchObject([
    { id: 'cache-no-parent', command: `mkdir -p ${join(folder.path, 'none')}` },
    { id: 'cache-no-parent' },
  ]);
});

test('a folder that cannot be looked at is not said to be absent, nor to be fine', async () => {
  symlinkSync('loop', join(folder.path, 'loop'));
  expect(await found({ cache: join(folder.path, 'loop/kept') })).toMatchObject([
    { id: 'cache-unknown', severity: 'warning', what: expect.stringContaining('ELOOP') },
    { id: 'cache-unknown' },
  ]);
});

test('a file where a folder should be keeps nginx from starting', async () => {
  writeFileSync(join(folder.path, 'file'), '');
  expect(await found({ cache: join(folder.path, 'file/kept') })).toMatchObject([
    { id: 'cache-no-parent' },
    { id: 'cache-no-parent' },
  ]);
});

test('scripts that run as the workers do can change what is kept', async () => {
  const php = async () => [
    { uid: 33, program: 'php-fpm8.2' },
    { uid: STRANGER, program: 'php-fpm8.4' },
  ];
  const ids = (await found({ uid: STRANGER }, php)).filter(({ id }) => id === 'cache-shared-user');
  expect(ids).toMatchObject([
    { severity: 'note', what: expect.stringContaining('php-fpm8.4 runs scripts as') },
  ]);
});

test.each([
  ['Name:\tphp-fpm8.4\nUid:\t33\t33\t33\t33\n', { uid: 33, program: 'php-fpm8.4' }],
  ['Name:\tphp-fpm8.4\nUid:\t0\t0\t0\t0\n', undefined],
  ['Name:\tnginx\nUid:\t33\t33\t33\t33\n', undefined],
  ['', undefined],
])('a process of php-fpm is known by its status: %j', (status, expected) => {
  expect(phpOf(status)).toEqual(expected);
});

test('the keeper’s port is tried from outside, unless the shop listens there', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const tried = (listen: string) =>
    keeperPathFindings(
      facts({
        server: `${listen} listen 127.0.0.9:${port}; ${SERVER} include h/server-hot.conf; include h/server-protect.conf;`,
        keeper: `127.0.0.9:${port}`,
      }),
      ['127.0.0.1'],
    );
  expect(await tried('listen 80;')).toMatchObject([
    { id: 'keeper-reached', what: `something answers at port ${port} of 127.0.0.1, too` },
  ]);
  expect(await tried(`listen ${port};`)).toEqual([]);
  server.close();
  await new Promise((resolve) => server.once('close', resolve));
  expect(await tried('listen 80;')).toEqual([]);
});

type Given = { cache?: string; uid?: number; keeper?: string; server?: string };

function found(given: Given, php = async (): Promise<{ uid: number; program: string }[]> => []) {
  return cachePathFindings(facts(given), php);
}

function facts({ cache: path = cache, uid, keeper, server = PROTECTED.server }: Given): Facts {
  const known = factsOf({ ...PROTECTED, server, cache: path });
  const own = { uid: process.getuid?.() ?? 0, gids: [process.getgid?.() ?? 0] };
  const ids = uid === undefined ? own : { uid, gids: [uid] };
  return { ...known, worker: { name: 'www', ids }, sidecar: { ...known.sidecar, ...(keeper && { keeper }) } };
}
