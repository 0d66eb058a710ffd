import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, jest, test } from '@jest/globals';
import { obtainNginx } from '../../provision/nginx.ts';
import { firstOf } from '../parts/full.ts';
import { views } from '../parts/load.ts';
import { freePorts } from '../parts/ports.ts';
import { report } from '../parts/report.ts';
import { askOnce } from '../parts/service.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { ranking, type Started, startDemo } from './start-demo.ts';

jest.setTimeout(180_000);

suiteWith(['nginx'])('npm start', () => {
  const running: Started[] = [];
  afterEach(async () => {
    for (const { process, remove } of running.splice(0)) {
      await process.kill();
      remove();
    }
  });

  test('shows a view, prints what to try, and stops on Ctrl-C without a loss or a remaining process', async () => {
    await obtainNginx({ suite: 'trixie', report });
    const { process, output, shop, page, home } = await start();
    await until(() => output().includes('Ctrl-C stops everything'), {
      timeoutMs: 60_000,
      what: 'the start',
      detail: output,
    });
    expect(output()).toContain(`http://${shop}/web/item/4711.html`);
    // Without its catalogue, the report of the demo would have no names.
    expect(output()).toMatch(
      /report --home \S+ --catalogue-file nginx\/examples\/catalogue\.csv .*--output /,
    );
    const port = Number(shop.split(':')[1]);
    expect(
      (await views({ port, paths: ['/', '/web/item/4711.html?from=mail'] })).map(({ status }) => status),
    ).toEqual([200, 200]);
    const counted = () =>
      ranking(page).then((items) => items.find(({ item }) => item === '4711')?.views === 1);
    await until(counted, { timeoutMs: 60_000, what: 'the view to be counted', detail: output });
    // As the terminal does it: to everybody in the foreground.
    global.process.kill(-process.pid, 'SIGINT');
    await process.ended;
    expect(output()).toMatch(/hotitem: stopping …\n(.*\n)*hotitem: stopped\n/);
    expect(processesUsing(home)).toEqual([]);
    expect(readFileSync(join(home, 'hotitem.log'), 'utf8')).toContain('"clean":true,"msg":"stopped"');
  });

  test('with --demo sends visitors, each with an address of its own', async () => {
    const { output, page } = await start(['--demo']);
    const busy = () =>
      ranking(page).then(
        (items) => items.length > 5 && (items[0]?.visitors ?? 0) > 5,
        () => false,
      );
    await until(busy, { timeoutMs: 60_000, what: 'visitors', detail: output });
  });

  test('stops nginx, too, when it is killed with -9', async () => {
    const { process, output, home } = await start();
    await until(() => output().includes('Ctrl-C stops everything'), {
      timeoutMs: 60_000,
      what: 'the start',
      detail: output,
    });
    expect(processesUsing(home).length).toBeGreaterThan(1);
    await process.kill();
    await until(() => processesUsing(home).length === 0, { timeoutMs: 60_000, what: 'nginx to end' });
  });

  test('names every address in use, and the flags to change them', async () => {
    const [port = 0] = await freePorts(1);
    const other = createServer().listen(port, '127.0.0.1');
    const { process, output } = await start(['--listen', `127.0.0.1:${port}`]);
    await process.ended;
    other.close();
    expect(output()).toContain(`127.0.0.1:${port} is used by another process`);
    expect(output()).toContain(`npm start -- --listen 127.0.0.1:${port + 100}`);
    expect(output()).not.toMatch(/^\s+at /m);
  });

  test.each(
    firstOf<[string, Record<string, string>, string[]]>(2, [
      [
        'an nginx that is not there',
        { HOTITEM_NGINX: '/nowhere/nginx' },
        ['HOTITEM_NGINX', '/nowhere/nginx'],
      ],
      [
        'no network to get nginx over',
        { HOTITEM_CACHE: '@EMPTY@', http_proxy: 'http://127.0.0.1:1', https_proxy: 'http://127.0.0.1:1' },
        ['mirror', 'HOTITEM_NGINX', 'docker compose up'],
      ],
      ['an nginx without njs', { HOTITEM_NGINX: '/bin/true' }, ['HOTITEM_NGINX', 'libnginx-mod-http-js']],
      [
        'no apt to get nginx with',
        { PATH: '/nowhere', HOTITEM_CACHE: '@EMPTY@' },
        ['apt', 'HOTITEM_NGINX', 'docker compose up'],
      ],
    ]),
  )('says in one message what to do about %s', async (_, env, parts) => {
    const { process, output } = await start([], env);
    await process.ended;
    for (const part of parts) expect(output()).toContain(part);
    expect(output()).not.toMatch(/^\s+at /m);
  });

  test('waits for unavailable Kafka and Elasticsearch, and keeps the views meanwhile', async () => {
    const [kafka = 0, elasticsearch = 0] = await freePorts(2);
    const env = {
      KAFKA_BROKERS: `127.0.0.1:${kafka}`,
      ELASTICSEARCH_NODE: `http://127.0.0.1:${elasticsearch}`,
    };
    const { output, shop, page } = await start([], env);
    await until(() => output().includes('Ctrl-C stops everything'), {
      timeoutMs: 60_000,
      what: 'the start',
      detail: output,
    });
    await views({ port: Number(shop.split(':')[1]), paths: ['/web/item/4711.html'] });
    const waiting = async () => {
      const reply = await askOnce(`http://${page}/api/v1/accounting`);
      return ((await reply.json()) as { sidecar: { waiting: number } }).sidecar.waiting === 1;
    };
    await until(waiting, { timeoutMs: 60_000, what: 'the view to wait', detail: output });
    await until(() => output().includes('Kafka or Elasticsearch is not ready; events wait'), {
      timeoutMs: 60_000,
      what: 'a warning',
      detail: output,
    });
    expect(output()).not.toMatch(/^\s+at /m);
  });

  async function start(args: string[] = [], env: Record<string, string> = {}): Promise<Started> {
    const started = await startDemo(args, env);
    running.push(started);
    return started;
  }
});

/** Which processes have a file below a folder open: nginx' title does not say where it runs, its log does. */
function processesUsing(folder: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => openFiles(pid).some((path) => path.startsWith(`${folder}/`)));
}

function openFiles(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    // It has ended, or just closed that file.
    return [];
  }
}
