import { chmodSync, cpSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { debianTree } from '../../provision/debian.ts';
import { type Ran, run, tail } from '../../service/run.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { freePort } from '../parts/ports.ts';
import { startProcess, tailOf } from '../parts/process.ts';
import { askOnce } from '../parts/service.ts';
import { until } from '../parts/until.ts';

jest.setTimeout(600_000);
const ROOT = join(import.meta.dirname, '../..');
/** What a clone does not have. */
const NOT_TRACKED = ['.git', 'coverage', 'dist', 'node_modules', 'var'];
const BUNDLED = [
  '@elastic/elasticsearch',
  '@platformatic/kafka',
  'kafkajs',
  'pino',
  'prom-client',
  'undici',
  'yaml',
  'zod',
];
const NOT_BUILT = { code: 1, stderr: expect.stringContaining('npm run build') };
const whenFull = FULL ? describe : describe.skip;

const folder = temporaryFolder('package');
const clone = join(folder.path, 'clone');
const prefix = join(folder.path, 'prefix');
const installed = join(prefix, 'lib/node_modules/hotitem');
const command = [join(prefix, 'bin/hotitem')];

beforeAll(async () => {
  cloneTo(clone);
  // The development packages, which the bootstrap would get first: that takes half a minute, and is tested in full.
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
  await install({ clone, prefix, flags: [] });
});
afterAll(folder.remove);

describe('the package of a clone', () => {
  test('is built by `npm pack` and installs the command', async () => {
    expect(await hotitem(['--version'])).toMatchObject({ code: 0, stdout: `hotitem ${version()}\n` });
  });

  test('installs the manual page of what it contains', async () => {
    const page = readFileSync(join(prefix, 'share/man/man1/hotitem.1'), 'utf8');
    expect(page).toContain(`"hotitem ${version()}"`);
    expect(page).toBe((await hotitem(['man'])).stdout);
  });

  test('contains everything for the includes and scripts of nginx', async () => {
    const dir = join(folder.path, 'nginx');
    const env = { HOTITEM_HOME: join(folder.path, 'home') };
    expect(await hotitem(['nginx', 'install', '--dir', dir], env)).toMatchObject({ code: 0 });
    expect(await readdir(dir)).toEqual(
      expect.arrayContaining(['http.conf', 'server.conf', 'hotitem.njs.js']),
    );
  });

  test('runs a sidecar with its page, without Kafka and Elasticsearch', () => sidecarRuns(command));

  test.each(['kafkajs', 'platformatic'])('loads %s when Kafka is set up', async (client) => {
    const env = { KAFKA_BROKERS: `127.0.0.1:${await freePort()}`, HOTITEM_KAFKA_CLIENT: client };
    const { code, stdout, stderr } = await hotitem(['setup'], env);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/cannot set up the topics: Connection .*ECONNREFUSED/);
    expect(stderr).not.toMatch(/cannot be patched|^\s+at /m);
  });

  test('contains the documentation and the files that it links to, except sources', async () => {
    const documents = (await readdir(installed, { recursive: true })).filter(
      (file) => file.endsWith('.md') && !file.includes('node_modules'),
    );
    expect(documents).toEqual(expect.arrayContaining(['README.md', 'CHANGELOG.md', 'docs/nginx.md']));
    expect(existsSync(join(installed, 'LICENSE'))).toBe(true);
    const broken = documents.flatMap((file) =>
      linksOf(join(installed, file))
        .filter((path) => !existsSync(path))
        .map((path) => relative(installed, path)),
    );
    expect(broken.filter((path) => !/^(test|deploy)\//.test(path))).toEqual([]);
  });

  test('has the licence of each package that is bundled, and fetches the others only', async () => {
    const licences = readFileSync(join(installed, 'dist/licenses.txt'), 'utf8');
    expect(
      BUNDLED.filter(
        (name) => !licences.includes(`${name} ${manifestOf(join(ROOT, 'node_modules', name)).version} (`),
      ),
    ).toEqual([]);
    expect(BUNDLED.filter((name) => existsSync(join(installed, 'node_modules', name)))).toEqual([]);
  });

  test('contains no sources, tests or development dependencies', async () => {
    const excess = ['bench', 'njs', 'provision', 'test', 'tsconfig.json', 'var', 'node_modules/esbuild'];
    expect(excess.filter((path) => existsSync(join(installed, path)))).toEqual([]);
  });
});

test('the command of a package that was not built says so', async () => {
  const bare = join(folder.path, 'not-built');
  cpSync(join(ROOT, 'bin'), join(bare, 'bin'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(bare, 'package.json'));
  expect(await run(process.execPath, [join(bare, 'bin/hotitem.mjs'), '--version'])).toMatchObject(NOT_BUILT);
});

test('the installed command rejects a Node that is too old, and names both versions', async () => {
  const old = join(folder.path, 'old.mjs');
  writeFileSync(
    old,
    "Object.defineProperty(process.versions, 'node', { value: '20.19.1' });\n" +
      `await import(${JSON.stringify(join(installed, 'bin/hotitem.mjs'))});\n`,
  );
  expect(await run(process.execPath, [old, '--version'])).toMatchObject({
    code: 1,
    stderr: 'hotitem: needs Node 20.19.2 or newer, this is 20.19.1\n',
  });
});

whenFull('in full', () => {
  test('a package that was not built is installed with a command that says so', async () => {
    const bare = join(folder.path, 'bare');
    cloneTo(bare);
    const bin = join(folder.path, 'bare-prefix');
    // The command's own file needs no package, so none is fetched again.
    rmSync(join(bare, 'package-lock.json'));
    writeFileSync(join(bare, 'package.json'), JSON.stringify({ ...manifestOf(bare), dependencies: {} }));
    await install({ clone: bare, prefix: bin, flags: ['--ignore-scripts'] });
    expect(await run(join(bin, 'bin/hotitem'), ['--version'])).toMatchObject(NOT_BUILT);
  });

  test.each([
    ['npm run build', ['run', 'build'], {}],
    ['npm pack of a production host', ['pack'], { NODE_ENV: 'production' }],
    ['npm pack --dry-run', ['pack', '--dry-run'], {}],
  ])('a clone without packages is installed and built by %s', async (_, args, env) => {
    const fresh = join(folder.path, 'fresh');
    rmSync(fresh, { recursive: true, force: true });
    cloneTo(fresh);
    succeeded(await run('npm', args, { cwd: fresh, env: { ...process.env, ...env } }));
    expect(existsSync(join(fresh, 'dist/hotitem.mjs'))).toBe(true);
  });

  test("the package runs on the oldest supported Node, Debian trixie's 20.19.2", async () => {
    const node = await debianNode();
    const [program = '', ...args] = node;
    expect((await run(program, [...args, '--version'])).stdout).toBe('v20.19.2\n');
    await sidecarRuns([...node, join(installed, 'bin/hotitem.mjs')]);
    // What declares a newer one is loaded only where it is configured.
    const setup = [...args, join(installed, 'bin/hotitem.mjs'), 'setup'];
    const brokers = `127.0.0.1:${await freePort()}`;
    const env = { PATH: process.env.PATH, KAFKA_BROKERS: brokers, HOTITEM_KAFKA_CLIENT: 'platformatic' };
    expect(await run(program, setup, { cwd: folder.path, env })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/cannot set up the topics: Connection .*ECONNREFUSED/),
    });
  });
});

function cloneTo(path: string): void {
  const left = NOT_TRACKED.map((name) => join(ROOT, name));
  cpSync(ROOT, path, { recursive: true, filter: (source) => !left.includes(source) });
}

async function install(options: { clone: string; prefix: string; flags: string[] }): Promise<void> {
  const { clone, prefix, flags } = options;
  succeeded(await run('npm', ['pack', ...flags, '--pack-destination', folder.path], { cwd: clone }));
  const tarball = join(folder.path, `hotitem-${version()}.tgz`);
  const quiet = ['--prefer-offline', '--no-progress', '--no-audit', '--ignore-scripts'];
  succeeded(await run('npm', ['install', '-g', '--prefix', prefix, ...quiet, tarball], { cwd: folder.path }));
  rmSync(tarball);
}

function succeeded(ran: Ran): void {
  if (ran.code !== 0) throw new Error(`exit ${ran.code}: ${tail(ran, 30)}`);
}

function version(): string {
  return manifestOf(ROOT).version;
}

function manifestOf(folder: string): { version: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function hotitem(args: string[], env: Record<string, string> = {}): Promise<Ran> {
  return run(command[0] ?? '', args, { cwd: folder.path, env: { PATH: process.env.PATH, ...env } });
}

/** Starts, is ready, serves its page from the package, listens on its socket, and ends when it is told to. */
async function sidecarRuns(program: string[]): Promise<void> {
  const home = temporaryFolder('package-home');
  const admin = `127.0.0.1:${await freePort()}`;
  const logFile = join(home.path, 'sidecar.log');
  const sidecar = startProcess({
    name: 'hotitem sidecar',
    command: [...program, 'sidecar'],
    cwd: home.path,
    env: { PATH: process.env.PATH, HOTITEM_HOME: home.path, HOTITEM_ADMIN_LISTEN: admin },
    logFile,
  });
  try {
    await until(
      () =>
        askOnce(`http://${admin}/readyz`).then(
          ({ ok }) => ok,
          () => !sidecar.running(),
        ),
      {
        timeoutMs: 60_000,
        what: 'the sidecar to be ready',
        detail: () => tailOf(logFile),
      },
    );
    expect(sidecar.running() || tailOf(logFile)).toBe(true);
    expect(existsSync(join(home.path, 'run/intake.sock'))).toBe(true);
    expect(await (await askOnce(`http://${admin}/`)).text()).toContain('<html');
  } finally {
    await sidecar.stop();
    home.remove();
  }
}

function linksOf(document: string): string[] {
  return [...readFileSync(document, 'utf8').matchAll(/\]\(([^)\s#]+)[^)]*\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => join(dirname(document), link));
}

/** Debian's Node finds its own JavaScript below /usr only, so it gets a /usr of its own: that of the unpacked tree. */
async function debianNode(): Promise<string[]> {
  const tree = await debianTree({
    suite: 'trixie',
    packages: ['nodejs'],
    name: 'node-debian-trixie',
    what: 'Node',
    report: () => {},
  });
  const script = join(folder.path, 'debian-node');
  writeFileSync(script, `#!/bin/sh\nmount --bind '${tree}/usr' /usr && exec /usr/bin/node "$@"\n`);
  chmodSync(script, 0o755);
  return ['unshare', '--user', '--map-root-user', '--mount', script];
}
