import { readFileSync } from 'node:fs';
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { run, tail } from '../../service/run.ts';
import { bootDebian, type DebianHost, whyNoDebianHost } from '../parts/debian-host.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { record } from '../parts/record.ts';
import { until } from '../parts/until.ts';

jest.setTimeout(45 * 60_000);
const ROOT = join(import.meta.dirname, '../..');
const LONG_MS = 180_000;
/** Less than a sidecar takes. */
const MEMORY_LIMIT = 6 * 1024 * 1024;
const UNIT = 'hotitem-sidecar';
const DROP_IN = `/run/systemd/system/${UNIT}.service.d/test.conf`;
/** A view by curl would be one by a bot. */
const BROWSER =
  "curl -s -o /dev/null -A 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'";
const SITE = '/etc/nginx/sites-available/default';

const name = 'a fresh Debian host';
const missing = FULL ? whyNoDebianHost() : undefined;
if (missing !== undefined) record(`skipped: ${name} (${missing})`);
const runs = FULL && (missing === undefined || process.env.CI === 'true');

// One host for all: each test goes on where the one before has left it, as the operator does.
(runs ? describe : describe.skip)(missing === undefined ? name : `${name} (skipped: ${missing})`, () => {
  const { path: folder, remove } = temporaryFolder('service-host');
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const nginxDocument = readFileSync(join(ROOT, 'docs/nginx.md'), 'utf8');
  let host: DebianHost;
  let before: string[];

  beforeAll(async () => {
    const packed = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
      cwd: ROOT,
    });
    if (packed.code !== 0) throw new Error(tail(packed));
    const [tarball = ''] = await readdir(folder);
    host = await bootDebian();
    await until(async () => (await answer('/')) === 200, { timeoutMs: LONG_MS, what: "Debian's own site" });
    await host.must('mkdir /var/www/html/item && echo pear >/var/www/html/item/4711.html');
    before = await everyFile();
    await copyFile(join(folder, tarball), host.path(`/root/${tarball}`));
  });
  afterAll(async () => {
    await host?.close();
    remove();
  });

  test('shows its first view after the five steps of the README', async () => {
    const steps = blockBelow(readme, 'Install on Debian', 'sh');
    const lines = blockBelow(readme, 'Install on Debian', 'nginx').match(/include .*;/g) ?? [];
    expect(lines).toHaveLength(2);
    for (const step of steps.split('\n').filter((line) => /^\w/.test(line))) {
      if (step.startsWith('nginx -t')) await addToSite(lines);
      await host.must(step, { outside: step.startsWith('npm ') });
    }
    // The workers of before serve for a moment after the reload.
    const shows = async () => {
      expect(await answer('/item/4711.html')).toBe(200);
      return (await host.must('curl -s http://127.0.0.1:9180/api/v1/items')).includes('"4711"');
    };
    await until(shows, { timeoutMs: LONG_MS, what: 'the first view on the page', detail: state });
    expect((await host.run('hotitem status')).code).toBe(0);
  });

  test('is not changed by a second install, as --diff says', async () => {
    const pid = await property('MainPID');
    expect(await host.run('hotitem service install --diff')).toMatchObject({
      code: 0,
      stdout: 'nothing would change\n',
    });
    expect(await host.must('hotitem service install')).toBe(`running   ${UNIT}.service\n`);
    expect(await property('MainPID')).toBe(pid);
  });

  test.each([
    [
      'as another user',
      'setpriv --reuid=nobody --regid=nogroup --clear-groups hotitem service install',
      'needs root',
    ],
    [
      'with a group that is mistyped',
      'hotitem service install --config /etc/x.yml --group www-dtaa',
      'no such group',
    ],
    [
      'with another group than the configuration',
      'hotitem service install --group games',
      'intake.socket_group www-data',
    ],
    [
      'with a home below the working directory',
      withHome('home: var'),
      'home: must be set to an absolute path',
    ],
    ['without a home', withHome(''), 'home: must be set to an absolute path'],
    [
      'of a sink without brokers',
      'hotitem service install sink --config /etc/x.yml',
      'a sink needs kafka.brokers',
    ],
    [
      'with a configuration that the service would not see',
      'hotitem service install --config /root/y.yml',
      '--config: is in a folder that the service cannot see',
    ],
  ])('rejects an install %s, and creates nothing', async (_, command, reason) => {
    const files = await everyFile();
    const { code, stderr } = await host.run(command);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(reason) });
    expect(await everyFile()).toEqual(files);
  });

  test('has a unit that its systemd accepts, and that removes all privileges that the service does not need', async () => {
    expect(await host.run(`systemd-analyze verify ${UNIT}.service`)).toMatchObject({ code: 0, stderr: '' });
    await host.must(`systemd-analyze security --no-pager --threshold=20 ${UNIT}.service`);
    const status = await host.must(`cat /proc/${await property('MainPID')}/status`);
    expect(status).toMatch(/^CapEff:\s+0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    expect(await property('User')).toBe('hotitem');
  });

  test('has an nginx that does not wait for a sidecar at boot', async () => {
    expect(await host.must('systemctl show nginx -p After --value')).not.toContain('hotitem');
  });

  test('has a unit with @pkey, without which V8 is killed', async () => {
    await dropIn(
      '[Service]\nSystemCallFilter=\nSystemCallFilter=@system-service\nSystemCallErrorNumber=\nType=exec\n',
    );
    await host.run(`systemctl restart ${UNIT}`);
    const isKilled = async () =>
      (await host.must(`journalctl -u ${UNIT} --no-pager`)).includes('status=31/SYS');
    await until(isKilled, { timeoutMs: LONG_MS, what: 'the kernel to kill it' });
    await dropIn(undefined);
    await host.must('hotitem service install');
  });

  test('has the level of each line in its journal, and a sidecar that ignores SIGHUP', async () => {
    const pid = await property('MainPID');
    await host.must(`systemctl kill --kill-whom=main --signal=HUP ${UNIT}`);
    await logSays('warning', 'SIGHUP is ignored');
    expect(await log('warning')).not.toContain('sidecar is up');
    expect(await log('info')).toContain('sidecar is up');
    expect(await property('MainPID')).toBe(pid);
    expect(await property('ActiveState')).toBe('active');
  });

  test('has a sidecar that is restarted when it hangs', async () => {
    await dropIn('[Service]\nWatchdogSec=5\nRestartSec=0\n');
    await host.must(`systemctl restart ${UNIT}`);
    const pid = await property('MainPID');
    for (const ping of ['one ping', 'another ping']) {
      const before = await property('WatchdogTimestampMonotonic');
      const changed = async () => (await property('WatchdogTimestampMonotonic')) !== before;
      await until(changed, { timeoutMs: LONG_MS, what: ping });
    }
    expect(await property('MainPID')).toBe(pid);
    await host.must(`kill -STOP ${pid}`);
    await until(async () => isUpAgain(pid), {
      timeoutMs: LONG_MS,
      what: 'another sidecar',
      detail: () => log('info'),
    });
    expect(await host.must(`journalctl -u ${UNIT} --no-pager`)).toContain('Watchdog timeout');
    await dropIn(undefined);
  });

  test('has a doctor that reports that the kernel killed the sidecar because memory ran out', async () => {
    const pid = await property('MainPID');
    const result = await host.limitMemory(UNIT, MEMORY_LIMIT);
    // It holds more than that when it has read a few requests, whose lines are valid.
    const goesOn = async () => {
      await host.run(
        `for i in $(seq 200); do ${BROWSER} "http://127.0.0.1/item/4711.html?$i-$(head -c 3000 /dev/urandom | base64 -w0)"; done`,
      );
      return isUpAgain(pid);
    };
    await until(goesOn, { timeoutMs: LONG_MS, what: 'another sidecar', detail: () => log('info') });
    await host.unlimitMemory(UNIT);
    const { stdout, stderr } = await host.run('hotitem doctor --no-view');
    expect(stderr).not.toContain('io_uring');
    expect(stdout).toMatch(
      result === 'oom-kill'
        ? /hotitem-sidecar\.service was killed because memory ran out .*\(oom-kill\) {2}\[service-out-of-memory\]$/m
        : /hotitem-sidecar\.service was killed by a signal .*\(signal\) {2}\[service-killed\]$/m,
    );
    // Of the test before.
    expect(stdout).toMatch(
      /hotitem-sidecar\.service was killed because it did not answer .* {2}\[service-hung\]$/m,
    );
  });

  test('has a sidecar that starts by itself once the cause of its failures is fixed, after any number of attempts', async () => {
    await dropIn('[Service]\nRestartSec=100ms\n');
    await host.must('echo "admin: { listen: nonsense }" >>/etc/hotitem/hotitem.yml');
    expect((await host.run(`systemctl restart ${UNIT}`)).code).not.toBe(0);
    // The default gives up at the sixth start.
    await until(async () => Number(await property('NRestarts')) >= 7, {
      timeoutMs: LONG_MS,
      what: 'seven starts',
    });
    await logSays('err', 'admin.listen');
    const { code, stderr } = await host.run('hotitem service install');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('admin.listen') });
    await host.must("sed -i '/^admin:/d' /etc/hotitem/hotitem.yml");
    await until(async () => (await property('ActiveState')) === 'active', {
      timeoutMs: LONG_MS,
      what: 'the sidecar',
    });
    await dropIn(undefined);
  });

  test('has a sidecar that names the group that its user lacks, and an install that adds it', async () => {
    // Stopped before: a running one has its groups for as long as it lives, and makes the folder again.
    await host.must(
      `systemctl stop ${UNIT} && gpasswd --delete hotitem www-data && rm -rf /var/lib/hotitem/spill`,
    );
    await host.run(`systemctl start --no-block ${UNIT}`);
    await logSays('err', 'usermod');
    expect(await host.must('hotitem service install')).toContain(
      'made      user hotitem, member of www-data',
    );
    expect(await property('ActiveState')).toBe('active');
    expect(await host.must('stat -c "%A %U %G" /var/lib/hotitem/spill')).toBe(
      'drwxrws--- hotitem www-data\n',
    );
  });

  test.each([
    ["Debian's", (block: string) => block],
    ['a fast one, that of nginx.org', (block: string) => block.replace(/^ExecStop=-\/sbin.*$/m, fastStop())],
  ])(
    'loses no view of the shared zone when nginx is stopped, with the drop-in of the documentation and %s stop',
    async (_, edit) => {
      const file = '/etc/systemd/system/nginx.service.d/hotitem.conf';
      const block = edit(blockBelow(nginxDocument, 'Stopping nginx with batch', 'ini'));
      await host.must(
        `mkdir -p $(dirname ${file}) && cat >${file} <<'X'\n${block}X\nsystemctl daemon-reload`,
      );
      await host.must(
        `echo 'include /etc/nginx/hotitem/http.conf; include /etc/nginx/hotitem/http-batch.conf;' >/etc/nginx/conf.d/hotitem.conf
      sed -i 's/capture-subrequest/capture-batch/' ${SITE}
      nginx -t && systemctl reload nginx`,
      );
      const reports = async () => (await metrics()).includes('\nhotitem_nginx_up 1\n');
      await until(reports, { timeoutMs: LONG_MS, what: 'the new workers', detail: state });
      const views = await accepted();
      await host.must(
        `for i in 1 2 3 4 5 6 7 8 9; do ${BROWSER} http://127.0.0.1/item/4711.html?$i; done; systemctl stop nginx`,
      );
      const stop = await host.must('journalctl -u nginx --no-pager | tail -5');
      expect(stop).toContain('nothing waits in the zone');
      const nine = async () => (await accepted()) === views + 9;
      await until(nine, { timeoutMs: LONG_MS, what: 'nine views', detail: state });
      await host.must('systemctl start nginx');
    },
  );

  test('runs a sink, too, although no broker answers yet', async () => {
    await host.must("printf 'kafka: { brokers: [127.0.0.1:9092] }\\n' >>/etc/hotitem/hotitem.yml");
    expect(await host.must('hotitem service install sink')).toContain('running   hotitem-sink.service');
    expect(await host.run('systemd-analyze verify hotitem-sink.service')).toMatchObject({
      code: 0,
      stderr: '',
    });
  });

  test('keeps its state while nginx uses it', async () => {
    const { code, stderr } = await host.run('hotitem service remove --purge --yes');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('nginx still writes below'),
    });
    expect(await property('ActiveState')).toBe('active');
  });

  test('is as before after the steps of the README for removal, and nginx serves throughout', async () => {
    await host.must('rm -r /etc/systemd/system/nginx.service.d && systemctl daemon-reload');
    await host.must(`sed -i '/hotitem/d' ${SITE}`);
    const steps = blockBelow(readme, 'Remove it', 'sh');
    for (const step of steps.split('\n').filter((line) => /^\w/.test(line))) {
      await host.must(step.replace(/ --purge/, ' --purge --yes'), { outside: step.startsWith('npm ') });
      expect(await answer('/')).toBe(200);
    }
    await host.must('rm /root/hotitem-*.tgz');
    // npm created it for the manual page, and leaves it.
    await host.must('rmdir /usr/local/share/man/man1');
    expect(await everyFile()).toEqual(before);
    expect(await host.must('systemctl list-units --all --no-legend "hotitem*"')).toBe('');
    expect((await host.run('nginx -t')).code).toBe(0);
  });

  function fastStop(): string {
    const [, line = ''] = /`(ExecStop=\/bin\/sh .*?)`/.exec(nginxDocument) ?? [];
    return line;
  }

  async function addToSite([server = '', location = '']: string[]): Promise<void> {
    await host.must(
      `sed -i -e 's|^server {|server {\\n\\t${server}|' -e 's|^\\tlocation / {|\\tlocation /item/ {\\n\\t\\t${location}\\n\\t}\\n&|' ${SITE}`,
    );
  }

  async function answer(path: string): Promise<number> {
    return Number((await host.run(`${BROWSER} -w '%{http_code}' http://127.0.0.1${path}`)).stdout);
  }

  async function metrics(): Promise<string> {
    return (await host.run('curl -s http://127.0.0.1:9180/metrics')).stdout;
  }

  async function accepted(): Promise<number> {
    const counts = (await metrics()).matchAll(/^hotitem_intake_accepted_total\{.*\} (\d+)$/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  async function state(): Promise<string> {
    const errors = await host.run('tail -20 /var/log/nginx/error.log');
    return `${await accepted()} views\n${await log('debug')}\n${errors.stdout}`;
  }

  async function property(of: string): Promise<string> {
    return (await host.must(`systemctl show ${UNIT} -p ${of} --value`)).trim();
  }

  async function log(priority: string): Promise<string> {
    return host.must(`journalctl -u ${UNIT} -o cat --no-pager -p ${priority} -t ${UNIT}`);
  }

  async function logSays(priority: string, text: string): Promise<void> {
    const says = async () => (await log(priority)).includes(text);
    await until(says, { timeoutMs: LONG_MS, what: text, detail: () => log('debug') });
  }

  async function dropIn(text: string | undefined): Promise<void> {
    const change =
      text === undefined
        ? `rm ${DROP_IN}`
        : `mkdir -p $(dirname ${DROP_IN}) && cat >${DROP_IN} <<'X'\n${text}X`;
    await host.must(`${change}\nsystemctl daemon-reload`);
  }

  async function isUpAgain(pid: string): Promise<boolean> {
    const now = await property('MainPID');
    return now !== pid && now !== '0' && (await property('ActiveState')) === 'active';
  }

  /** Every file with its rights, and what the files of users and groups hold. Not what any command leaves: logs, caches, backups. */
  async function everyFile(): Promise<string[]> {
    const left = [
      '/proc',
      '/sys',
      '/dev',
      '/run',
      '/tmp',
      '/var/log',
      '/var/cache',
      '/var/tmp',
      '/npm',
      '/root',
    ];
    const pruned = left.map((path) => `-path ${path}`).join(' -o ');
    const files = await host.must(
      `find / \\( ${pruned} \\) -prune -o ! -type d -printf '%p %M %U:%G %l\\n' -o -printf '%p %M %U:%G\\n'`,
    );
    const accounts = await host.must('cat /etc/passwd /etc/group /etc/shadow /etc/gshadow');
    return [...files.split('\n').filter(isLasting).sort(), accounts];
  }
});

/** An install with such a configuration, which is gone afterwards. */
function withHome(home: string): string {
  const file = '/etc/x.yml';
  return `printf 'intake: { socket_group: www-data }\\n${home}\\n' >${file}; hotitem service install --config ${file}; code=$?; rm ${file}; exit $code`;
}

/** systemd's own state, what a change of users leaves, and folders of npm, which it never removes. */
function isLasting(line: string): boolean {
  return !/^(\/var\/lib\/(systemd|private|dbus|nginx)|\/etc\/(passwd|group|shadow|gshadow)-|\/etc\/\.pwd\.lock|\/usr\/local\/(lib\/node_modules|bin|lib) )/.test(
    line,
  );
}

/** The first block of a language below a heading. */
function blockBelow(document: string, heading: string, language: string): string {
  const [, below = ''] = document.split(new RegExp(`^#+ ${heading}.*$`, 'm'));
  const block = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(below)?.[1];
  if (block === undefined) throw new Error(`no ${language} below ${heading}`);
  return block;
}
