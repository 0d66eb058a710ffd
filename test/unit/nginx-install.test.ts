import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type InstallOptions, installNginx } from '../../cli/nginx-install.ts';
import { installedVersion } from '../../cli/nginx-install-version.ts';

let root: string;
let options: InstallOptions;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hotitem-install-'));
  options = {
    dir: join(root, 'hotitem'),
    socket: '/run/hotitem/intake.sock',
    spill: '/var/lib/hotitem/spill',
  };
});
afterEach(() => rmSync(root, { recursive: true }));

test('writes every include and the scripts', async () => {
  const { files } = await installNginx(options);

  expect(readdirSync(options.dir).sort()).toEqual([
    'capture-batch.conf',
    'capture-log.conf',
    'capture-subrequest.conf',
    'engine-njs.conf',
    'engine-qjs.conf',
    'fetch-njs.conf',
    'fetch-qjs.conf',
    'hotitem-periodic.njs.js',
    'hotitem-periodic.qjs.js',
    'hotitem.njs.js',
    'hotitem.qjs.js',
    'http-batch.conf',
    'http-log.conf',
    'http.conf',
    'items.conf',
    'line.conf',
    'log-cut.conf',
    'log-limit.conf',
    'log.conf',
    'off-batch.conf',
    'off.conf',
    'privacy.conf.example',
    'realip.conf.example',
    'server.conf',
  ]);
  expect(new Set(files.map(({ outcome }) => outcome))).toEqual(new Set(['written']));
});

test('says in the last line of each include which version wrote it', async () => {
  const { files } = await installNginx(options);

  const includes = files.map(({ path }) => path).filter((path) => /\.conf(\.example)?$/.test(path));
  const version = await installedVersion();
  for (const path of includes.filter((path) => !path.endsWith('/items.conf'))) {
    expect(readFileSync(path, 'utf8').endsWith(`\n# hotitem ${version}\n`)).toBe(true);
  }
});

test('leaves no placeholder', async () => {
  await installNginx(options);

  for (const name of readdirSync(options.dir)) expect(read(name)).not.toContain('@HOTITEM_');
});

test.each([
  ['http.conf', '"unix:/run/hotitem/intake.sock"'],
  ['http.conf', 'server 127.0.0.1:9189 backup max_fails=0;'],
  ['http-batch.conf', 'default 1073741824;'],
  ['log.conf', '"/var/lib/hotitem/spill/log-$hotitem_minute.tsv"'],
  ['server.conf', '"/var/lib/hotitem/spill/$hotitem_minute.tsv"'],
])('puts into %s: %s', async (name, text) => {
  await installNginx(options);

  expect(read(name)).toContain(text);
});

test.each(['njs', 'qjs'] as const)('names the engine %s in http.conf', async (engine) => {
  await installNginx({ ...options, engine });

  expect(read('http.conf')).toContain(`/engine-${engine}.conf`);
});

test('changes nothing the second time', async () => {
  await installNginx(options);
  const { files } = await installNginx(options);

  expect(new Set(files.map(({ outcome }) => outcome))).toEqual(new Set(['unchanged']));
});

test('writes a changed file again', async () => {
  await installNginx(options);
  writeFileSync(join(options.dir, 'http.conf'), '# torn');
  const { files } = await installNginx(options);

  expect(files.filter(({ outcome }) => outcome === 'written')).toEqual([
    { path: join(options.dir, 'http.conf'), outcome: 'written' },
  ]);
});

describe('an items.conf that the operator has edited', () => {
  const edited = 'map $uri $hotitem_item { default ours; }\n';
  beforeEach(async () => {
    await installNginx(options);
    writeFileSync(join(options.dir, 'items.conf'), edited);
  });

  test('is never overwritten', async () => {
    await installNginx(options);

    expect(read('items.conf')).toBe(edited);
  });

  test('gets the new one beside it', async () => {
    const { files } = await installNginx(options);

    expect(read('items.conf.new')).toContain('map $uri $hotitem_item');
    expect(files.slice(-2)).toEqual([
      { path: join(options.dir, 'items.conf'), outcome: 'kept' },
      { path: join(options.dir, 'items.conf.new'), outcome: 'written' },
    ]);
  });
});

test('a dry run says what it would write, and writes nothing', async () => {
  const { files } = await installNginx({ ...options, dryRun: true });

  expect(files).toHaveLength(24);
  expect(readdirSync(root)).toEqual([]);
});

test('says what to add to nginx.conf', async () => {
  const { next } = await installNginx(options);

  for (const name of ['http.conf', 'server.conf', 'capture-subrequest.conf']) {
    expect(next).toContain(`include ${join(options.dir, name)};`);
  }
});

const BREAKING = [
  '"',
  "'",
  '`',
  ';',
  '\n',
  '\r',
  '\0',
  '\t',
  ' ',
  '$',
  '{',
  '}',
  '\\',
  '#',
  '*',
  '?',
  '[',
  '\u2028',
];

test.each(
  BREAKING.flatMap((found) => [
    ['socket', found] as const,
    ['spill', found] as const,
    ['dir', found] as const,
  ]),
)('refuses the option %s with %j in it, and writes nothing', async (option, found) => {
  const value = `/srv/a${found}b`;
  const install = installNginx({ ...options, [option]: value });

  await expect(install).rejects.toMatchObject({ code: 'BAD_OPTION' });
  await expect(install).rejects.toThrow(`${option}: `);
  await expect(install).rejects.toThrow(JSON.stringify(value));
  expect(readdirSync(root)).toEqual([]);
});

test.each(['/etc/nginx/conf.d', '/etc/nginx/sites-enabled/', '/etc/nginx/default.d'])(
  'refuses the folder %s, all of which nginx.conf includes',
  async (dir) => {
    const install = installNginx({ ...options, dir });
    await expect(install).rejects.toMatchObject({ code: 'BAD_OPTION' });
    await expect(install).rejects.toThrow('take "/etc/nginx/hotitem"');
  },
);

test.each([
  ['socket', 'run/intake.sock', 'absolute'],
  ['socket', `/${'x'.repeat(107)}`, '107 bytes'],
  ['spill', '', 'absolute'],
  ['breaker', '127.0.0.1', 'host:port'],
  ['breaker', '127.0.0.1:0', 'host:port'],
  ['breaker', '127.0.0.1:65536', 'host:port'],
  ['breaker', '127.0.0.1:80; include /etc/passwd', 'host:port'],
  ['breaker', 'unix:/tmp/x', 'host:port'],
  ['engine', 'v8', 'njs or qjs'],
])('refuses the option %s with the value %j', async (option, value, problem) => {
  await expect(installNginx({ ...options, [option]: value })).rejects.toThrow(
    new RegExp(`^${option}: .*${problem}`),
  );
});

test('names all problems at once', async () => {
  await expect(installNginx({ ...options, spill: 'spill', breaker: 'none' })).rejects.toThrow(
    /^spill: [^\n]+\nbreaker: [^\n]+$/,
  );
});

function read(name: string): string {
  return readFileSync(join(options.dir, name), 'utf8');
}
