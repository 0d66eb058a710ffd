import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { installDiff, installText } from '../../../cli/nginx-install-report.ts';
import { type InstallOptions, installNginx } from '../../../nginx-setup/install.ts';
import { installedVersion } from '../../../nginx-setup/install-version.ts';

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
    'announce-fastcgi.conf',
    'announce.conf',
    'cache-fastcgi.conf',
    'cache.conf',
    'capture-batch.conf',
    'capture-log.conf',
    'capture-subrequest.conf',
    'cookies.conf',
    'engine-njs.conf',
    'engine-qjs.conf',
    'fetch-njs.conf',
    'fetch-qjs.conf',
    'hot.conf',
    'hotitem-periodic.njs.js',
    'hotitem-periodic.qjs.js',
    'hotitem.njs.js',
    'hotitem.qjs.js',
    'http-batch.conf',
    'http-hot.conf',
    'http-log.conf',
    'http-protect.conf',
    'http.conf',
    'isolate.conf',
    'isolated.conf',
    'items.conf',
    'limit.conf',
    'line.conf',
    'log-cut.conf',
    'log-limit.conf',
    'log-shared.conf',
    'log.conf',
    'off-batch.conf',
    'off-hot.conf',
    'off-protect.conf',
    'off.conf',
    'privacy.conf.example',
    'realip.conf.example',
    'server-actions.conf',
    'server-hot.conf',
    'server-protect.conf',
    'server.conf',
    'tracking.conf',
    'version.conf',
  ]);
  expect(new Set(files.map(({ outcome }) => outcome))).toEqual(new Set(['new']));
});

test('only version.conf has the version, with the checksum of each file', async () => {
  await installNginx(options);

  const version = await installedVersion();
  const carrying = readdirSync(options.dir).filter((name) => read(name).includes(version));
  expect(carrying).toEqual(['version.conf']);
  const sums = [...read('version.conf').matchAll(/^# sha256 ([0-9a-f]{64}) (\S+)$/gm)];
  expect(sums.map(([, , name]) => name).sort()).toEqual(
    readdirSync(options.dir).filter((name) => name !== 'version.conf'),
  );
  for (const [, sum, name = ''] of sums) {
    expect(createHash('sha256').update(read(name)).digest('hex')).toBe(sum);
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
  ['server-hot.conf', '"/run/hotitem/hot/$hotitem_lease/hot/$hotitem_file"'],
  ['http-protect.conf', '"127.0.0.1:9188" "'],
  ['http-protect.conf', 'proxy_cache_path "/var/cache/hotitem-proxy" '],
  ['server-protect.conf', 'listen 127.0.0.1:9188;'],
  ['cache.conf', 'proxy_cache_valid 200 10s;'],
])('writes into %s: %s', async (name, text) => {
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

test('writes all settings into the includes', async () => {
  await installNginx({
    ...options,
    maxConns: 32,
    timeoutMs: 90,
    failTimeoutSeconds: 7,
    zoneMb: 64,
    logCache: false,
  });

  expect(read('http.conf')).toContain('max_fails=1 fail_timeout=7s max_conns=32;');
  expect(read('server.conf')).toContain('proxy_send_timeout 90ms;\n    proxy_read_timeout 90ms;');
  expect(read('http-batch.conf')).toContain('zone=hotitem_events:64m;');
  expect(read('log.conf')).not.toMatch(/^open_log_file_cache/m);
});

describe('a file that was edited', () => {
  const at = new Date('2026-11-26T17:20:00.123Z');
  const backup = () => join(options.dir, 'backup/2026-11-26T17-20-00Z');
  let edited: string;
  beforeEach(async () => {
    await installNginx(options);
    edited = read('http.conf').replace('max_conns=3', 'max_conns=32');
    writeFileSync(join(options.dir, 'http.conf'), edited);
  });

  test('is the only one that is written again, and its old text is backed up', async () => {
    const result = await installNginx({ ...options, at });

    expect(result.files.filter(({ outcome }) => outcome !== 'unchanged')).toMatchObject([
      { name: 'http.conf', outcome: 'changed', edited: true },
    ]);
    expect(read('http.conf')).toContain('max_conns=3;');
    expect(result.backup).toBe(backup());
    expect(readdirSync(backup())).toEqual(['http.conf']);
    expect(read('backup/2026-11-26T17-20-00Z/http.conf')).toBe(edited);
  });

  test('is reported with the setting for hotitem.yml, before and after', async () => {
    const dry = await installNginx({ ...options, at, dryRun: true });
    expect(installText(dry, options.dir, true)).toMatch(/^would change .*http\.conf {2}was edited$/m);
    expect(installText(dry, options.dir, true)).not.toMatch(/^(written|changed) /m);
    expect(await installDiff(dry)).toMatch(/^-.* max_conns=32;\n\+.* max_conns=3;$/m);
    expect(read('http.conf')).toBe(edited);

    const done = await installNginx({ ...options, at });
    expect(installText(done, options.dir, false)).toContain(
      `kept in ${backup()}. Set what you had changed in hotitem.yml`,
    );
  });

  test('is not changed if the setting has the same value', async () => {
    const { files } = await installNginx({ ...options, maxConns: 32 });

    expect(files.filter(({ outcome }) => outcome === 'changed').map(({ name }) => name)).toEqual([
      'version.conf',
    ]);
  });
});

describe('an older version of the includes', () => {
  beforeEach(async () => {
    await installNginx(options);
    const text = read('version.conf').replace(/"\d[^"]*"/, '"0.0.1"');
    const sum = createHash('sha256').update('# ended\n').digest('hex');
    writeFileSync(join(options.dir, 'ended.conf'), '# ended\n');
    writeFileSync(join(options.dir, 'version.conf'), `${text}# sha256 ${sum} ended.conf\n`);
  });

  test('that differs only in the version is not written again', async () => {
    const { files, from } = await installNginx(options);

    expect(from).toBe('0.0.1');
    expect(files.filter(({ outcome }) => outcome === 'changed').map(({ name }) => name)).toEqual([
      'version.conf',
    ]);
  });

  test('with an additional file keeps it, because nginx.conf may include it, and reports it each time', async () => {
    for (const _ of [1, 2]) {
      const { files } = await installNginx(options);
      expect(files.filter(({ outcome }) => outcome === 'obsolete').map(({ name }) => name)).toEqual([
        'ended.conf',
      ]);
    }
    expect(read('ended.conf')).toBe('# ended\n');
  });
});

test('files and folder have the same modes with any umask', async () => {
  const before = process.umask(0o077);
  try {
    await installNginx(options);
  } finally {
    process.umask(before);
  }
  const modes = readdirSync(options.dir).map((name) => statSync(join(options.dir, name)).mode & 0o777);
  expect([statSync(options.dir).mode & 0o777, ...new Set(modes)]).toEqual([0o755, 0o644]);
});

describe.each([
  ['items.conf', 'map $uri $hotitem_item'],
  ['tracking.conf', 'map $hotitem_question $hotitem_query'],
  ['cookies.conf', 'map $http_cookie $hotitem_cookies'],
])('a file %s that the operator has edited', (own, text) => {
  const edited = `${text} { default ours; }\n`;
  beforeEach(async () => {
    await installNginx(options);
    writeFileSync(join(options.dir, own), edited);
  });

  test('is never overwritten', async () => {
    await installNginx(options);

    expect(read(own)).toBe(edited);
  });

  test('gets the new one as a second file', async () => {
    const { files } = await installNginx(options);

    expect(read(`${own}.new`)).toContain(text);
    expect(files.slice(-2)).toMatchObject([
      { path: join(options.dir, own), outcome: 'kept' },
      { path: join(options.dir, `${own}.new`), outcome: 'new' },
    ]);
  });
});

test('a dry run reports what it would write, and writes nothing', async () => {
  const { files } = await installNginx({ ...options, dryRun: true });

  expect(files).toHaveLength(43);
  expect(readdirSync(root)).toEqual([]);
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
    ['hot', found] as const,
    ['dir', found] as const,
  ]),
)('rejects the option %s with %j in it, and writes nothing', async (option, found) => {
  const value = `/srv/a${found}b`;
  const install = installNginx({ ...options, [option]: value });

  await expect(install).rejects.toMatchObject({
    name: 'Trouble',
    hint: expect.stringContaining('Nothing was written'),
  });
  await expect(install).rejects.toThrow(`${option}: `);
  await expect(install).rejects.toThrow(JSON.stringify(value));
  expect(readdirSync(root)).toEqual([]);
});

test.each(['/etc/nginx/conf.d', '/etc/nginx/sites-enabled/', '/etc/nginx/default.d'])(
  'rejects the folder %s, of which nginx.conf includes all files',
  async (dir) => {
    const install = installNginx({ ...options, dir });
    await expect(install).rejects.toMatchObject({ name: 'Trouble' });
    await expect(install).rejects.toThrow('use "/etc/nginx/hotitem"');
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
])('rejects the option %s with the value %j', async (option, value, problem) => {
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
