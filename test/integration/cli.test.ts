import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Ran, run } from '../../service/run.ts';
import { FULL, firstOf } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { freePorts } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { until } from '../parts/until.ts';
import { type StandIn, startStandIn } from '../unit/store/elasticsearch/stand-in.ts';
import { withStreams } from '../unit/store/elasticsearch/with-streams.ts';
import { runHotitem } from './run-hotitem.ts';

jest.setTimeout(180_000);
const PROGRAM = join(import.meta.dirname, '../../dist/hotitem.mjs');

describe('the hotitem command', () => {
  const { path: folder, remove } = temporaryFolder('cli');
  afterAll(remove);

  test('lists its commands', async () => {
    const help = await hotitem(['--help']);
    for (const command of ['start', 'sidecar', 'sink', 'setup', 'nginx install', 'check', 'status']) {
      expect(help.stdout).toMatch(new RegExp(`^  ${command}\\s`, 'm'));
    }
    expect((await hotitem([])).stdout).toBe(help.stdout);
  });

  test('explains every setting in sidecar --help, and in no other', async () => {
    const { stdout, code } = await hotitem(['sidecar', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('spool.max_bytes');
    expect(stdout).toContain('HOTITEM_ELASTICSEARCH_API_KEY or HOTITEM_ELASTICSEARCH_API_KEY_FILE, no flag');

    const report = await hotitem(['report', '--help']);
    expect(report.code).toBe(0);
    expect(report.stdout).toMatch(/^ {2}--config FILE(.*\n)+ {2}--SETTING VALUE .*hotitem sidecar --help/m);
    expect(report.stdout.split('\n').length).toBeLessThan(20);
  });

  test('check exits 0 and prints the path of an event if all is well', async () => {
    const { code, stdout } = await hotitem(['check'], {
      KAFKA_BROKERS: 'a:9092',
      ELASTICSEARCH_NODE: 'http://b:9200',
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/nginx → .*intake\.sock → Kafka a:9092 → sink → Elasticsearch http:\/\/b:9200/);
  });

  test('check exits 1 and prints every problem otherwise', async () => {
    const file = join(folder, 'bad.yml');
    writeFileSync(file, 'spool:\n  max_bites: 7\n');
    const { code, stderr } = await hotitem(['check', '--config', file], { KAFKA_BROKERS: 'nowhere' });
    expect(code).toBe(1);
    expect(stderr).toContain('spool.max_bites: unknown setting, did you mean spool.max_bytes?');
    expect(stderr).toContain('kafka.brokers.0: must be HOST:PORT');
  });

  test('check reads the rules for hot items, and reports every problem with its path', async () => {
    const file = join(folder, 'rules.yml');
    writeFileSync(
      file,
      'rules: [{ busi: {} }, { busy: { enter_views_per_second: -1 } }]\npins: [{ item: "1", until: noon, reason: sale }]\n',
    );
    const wrong = await hotitem(['check', '--heat-rules', file]);
    expect(wrong.code).toBe(1);
    for (const path of [
      'rules[0].busi: unknown key',
      'rules[1].busy.enter_views_per_second: ',
      'pins[0].until: ',
    ])
      expect(wrong.stdout).toContain(path);
    expect(wrong.stdout).toContain('4 errors');
    if (FULL)
      expect(await hotitem(['check', '--heat-rules', join(folder, 'nowhere.yml')])).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('nowhere.yml'),
      });
    writeFileSync(file, 'rules: [{ items: ["a*"], hot: false }]');
    expect(await hotitem(['check', '--heat-rules', file])).toMatchObject({ code: 0 });
  });

  test('nginx install writes the includes; a dry run prints what it would write', async () => {
    const dir = join(folder, 'nginx');
    const dry = await hotitem(['nginx', 'install', '--dir', dir, '--home', folder, '--dry-run']);
    expect(dry).toMatchObject({ code: 0 });
    expect(existsSync(dir)).toBe(false);
    const { stdout } = await hotitem([
      'nginx',
      'install',
      '--dir',
      dir,
      '--intake-socket',
      '/run/hotitem/intake.sock',
      '--spill-dir',
      '/var/lib/hotitem/spill',
    ]);
    expect(readdirSync(dir)).toEqual(
      expect.arrayContaining(['http.conf', 'server.conf', 'items.conf', 'hotitem.njs.js']),
    );
    expect(stdout).toContain('/run/hotitem/intake.sock');
    expect(stdout).toContain(`include ${dir}/http.conf`);
  });

  test('nginx install names the option and the value that nginx would misread', async () => {
    const { code, stderr } = await hotitem(['nginx', 'install', '--dir', '/tmp/a;b', '--home', folder]);
    expect(code).toBe(1);
    expect(stderr).toContain('dir: must not contain ";"');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('setup says what is missing', async () => {
    expect(await hotitem(['setup'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nothing to set up'),
    });
  });

  // Of Kafka, package.test.ts has the same.
  test('setup says in one line that Elasticsearch is unavailable', async () => {
    const [port] = await freePorts(1);
    const { code, stderr } = await hotitem(['setup'], { ELASTICSEARCH_NODE: `http://127.0.0.1:${port}` });
    expect(code).toBe(1);
    expect(stderr).toContain('Elasticsearch does not answer');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  describe('setup that would shorten a retention', () => {
    const lifecycle = { data_retention: '90d' };
    let standIn: StandIn;
    let env: Record<string, string>;

    beforeEach(async () => {
      // The Elasticsearch that tests can have has no lifecycle of data streams.
      standIn = await startStandIn(withStreams({ exists: true, lifecycle }));
      env = { ELASTICSEARCH_NODE: standIn.node, HOTITEM_ELASTICSEARCH_RETENTION_DAYS: '7' };
    });
    afterEach(() => standIn.close());

    test('does not change it if nobody can be asked, and exits 1', async () => {
      const { code, stdout } = await hotitem(['setup'], env);
      expect(code).toBe(1);
      expect(stdout).toMatch(
        /^kept +lifecycle of hot_item\n +data_retention: 90d → 7d\n +would lose documents/m,
      );
      expect(shortened()).toBe(false);
    });

    test('changes it with --yes', async () => {
      const { code, stdout } = await hotitem(['setup', '--yes'], env);
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /^updated +lifecycle of hot_item\n +data_retention: 90d → 7d\n +loses documents/m,
      );
      expect(shortened()).toBe(true);
    });

    // That it is done where that is wanted, --yes shows.
    test.each([...(FULL ? [['yes', true] as const] : []), ['no', false] as const])(
      'asks at a terminal, and follows the answer: %s',
      async (answer, done) => {
        const command = `${process.execPath} ${PROGRAM} setup`;
        const { stdout } = await run('sh', ['-c', `echo ${answer} | script -qec '${command}' /dev/null`], {
          cwd: folder,
          env: { PATH: process.env.PATH, ...env },
          timeoutMs: 60_000,
        });
        expect(stdout).toMatch(
          /lifecycle of hot_item loses documents older than 7 days.*90d → 7d.*Type yes: /s,
        );
        expect(shortened()).toBe(done);
      },
    );

    function shortened(): boolean {
      return standIn.asked.some(({ method, path }) => method === 'PUT' && path.endsWith('/_lifecycle'));
    }
  });

  test('sink says that it needs Kafka', async () => {
    expect(await hotitem(['sink'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('kafka.brokers'),
    });
  });

  test('status says that nothing answers', async () => {
    const [port] = await freePorts(1);
    const { code, stderr } = await hotitem(['status', '--admin-listen', `127.0.0.1:${port}`]);
    expect(code).toBe(1);
    expect(stderr).toContain(`nothing answers at 127.0.0.1:${port}`);
  });

  const strangers: [number, string, string][] = [
    [200, '<!doctype html>\u001b[31m', 'answers 200: <!doctype html>\\x1b[31m'],
    [403, 'not for you\nreally', 'answers 403: not for you'],
    [302, '', 'answers 302'],
  ];
  test.each(firstOf(1, strangers))(
    'status says in one line that another program answers: %i',
    async (code, body, said) => {
      const [port = 0] = await freePorts(1);
      const stranger = createServer((_, response) => response.writeHead(code, { location: '/' }).end(body));
      await new Promise<void>((resolve) => stranger.listen(port, '127.0.0.1', resolve));
      try {
        const { code: status, stderr } = await hotitem(['status', '--admin-listen', `127.0.0.1:${port}`]);
        expect(status).toBe(1);
        expect(stderr).toContain(said);
        expect(stderr.trim().split('\n')).toHaveLength(2);
      } finally {
        stranger.close();
      }
    },
  );

  test('status shows what a sidecar from before an upgrade reports', async () => {
    const accounts = {
      reportedAt: 1,
      captured: 7,
      buffered: 0,
      spilled: 0,
      diverted: 0,
      dropped: 0,
      unaccounted: 0,
    };
    const body = JSON.stringify({ nginx: { capture: { version: 0, mode: 'default' }, accounts } });
    const [port = 0] = await freePorts(1);
    const older = createServer((_, response) => response.end(body));
    await new Promise<void>((resolve) => older.listen(port, '127.0.0.1', resolve));
    try {
      const { code, stdout } = await hotitem(['status', '--admin-listen', `127.0.0.1:${port}`]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/captured +7\n/);
      expect(stdout).not.toContain('undefined');
    } finally {
      older.close();
    }
  });

  test('capture says in one line that another program answers at the socket', async () => {
    const socket = join(folder, 'stranger.sock');
    const stranger = createServer((_, response) => response.end('<!doctype html>\u001b[31m'));
    await new Promise<void>((resolve) => stranger.listen(socket, resolve));
    try {
      const { code, stderr } = await hotitem(['capture', 'status', '--control-socket', socket]);
      expect(code).toBe(1);
      expect(stderr).toBe('hotitem: the sidecar rejected it: <!doctype html>\\x1b[31m\n');
    } finally {
      stranger.close();
    }
  });

  describe('beside a running sidecar', () => {
    let sidecar: Service;
    let env: Record<string, string>;

    beforeAll(async () => {
      const [port] = await freePorts(1);
      env = {
        HOTITEM_HOME: join(folder, 'home'),
        // To which status is not to answer itself with a 403.
        HOTITEM_ADMIN_LISTEN: `[::]:${port}`,
        // What Kubernetes sets where there is a Service named hotitem.
        HOTITEM_SERVICE_HOST: '10.96.0.17',
        HOTITEM_PORT: 'tcp://10.96.0.17:9180',
      };
      sidecar = await startService({
        args: ['sidecar'],
        env,
        admin: `[::]:${port}`,
        logFile: join(folder, 'sidecar.log'),
      });
    });
    afterAll(() => sidecar?.stop());

    test('the sidecar says which variables it ignores, and so does check', async () => {
      expect(sidecar.log()).toContain('"variables":["HOTITEM_SERVICE_HOST","HOTITEM_PORT"]');
      const { code, stdout } = await hotitem(['check'], env);
      expect(code).toBe(0);
      expect(stdout).toContain('for a Service: HOTITEM_SERVICE_HOST, HOTITEM_PORT\n');
    });

    test('status begins with a verdict, and shows the accounting, of a sidecar that listens on [::]', async () => {
      const { code, stdout } = await hotitem(['status'], env);
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /^nothing captured yet; delivers; nothing lost behind nginx, which does not report\n(.*\n)+nginx, over all restarts\n {2}capture +as nginx is configured\n.*\nsidecar, since (.*\n)*\s+unaccounted\s+0\n/,
      );
      expect(JSON.parse((await hotitem(['status', '--json'], env)).stdout)).toMatchObject({
        ready: true,
        nginx: { capture: { version: 0, mode: 'default' } },
        sidecar: { accepted: 0, unaccounted: 0 },
      });
    });

    test('a socket file removed under a running sidecar is created again, and logged in one line', async () => {
      const socket = join(folder, 'home/run/intake.sock');
      rmSync(socket);
      await until(() => existsSync(socket), { timeoutMs: 60_000, what: 'the socket' });

      expect((await hotitem(['capture', 'status'], env)).code).toBe(0);
      expect(
        sidecar
          .log()
          .split('\n')
          .filter((line) => line.includes('socket was removed')),
      ).toHaveLength(1);
      expect(await sidecar.text('/readyz?verbose')).toContain('intake: ok\n');
    });

    test('a sidecar exits if another one has its socket, and releases its folder', async () => {
      const socket = join(folder, 'home/run/intake.sock');
      const other = { ...env, HOTITEM_HOME: join(folder, 'other'), HOTITEM_INTAKE_SOCKET: socket };
      expect(await hotitem(['sidecar'], other)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`intake.socket: another process listens on it (got ${socket})`),
      });
      expect(readdirSync(join(folder, 'other/spool')).filter((name) => name.startsWith('lock'))).toEqual([]);
    });

    test('a second sidecar with the same folder exits with an error that names the process', async () => {
      const { code, stderr, stdout } = await hotitem(['sidecar'], env);
      expect(code).toBe(1);
      expect(`${stdout}${stderr}`).toContain(String(sidecar.pid()));
    });
  });

  function hotitem(args: string[], env: Record<string, string> = {}): Promise<Ran> {
    return runHotitem(args, env, { cwd: folder, timeoutMs: 60_000 });
  }
});
