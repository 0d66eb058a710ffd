import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Ran, run } from '../../service/run.ts';
import { type FakeClock, obtainClock } from '../faults/fake-clock.ts';
import { canMakeDisk, makeDisk } from '../faults/small-disk.ts';
import { type ElasticsearchPart, startElasticsearch } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { freePorts } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { startTlsProxy, type TlsProxy } from '../parts/tls-proxy.ts';
import { until } from '../parts/until.ts';
import { commandOf } from './doctor-report.ts';
import { ADMINISTRATOR, WITH_KEYS } from './elasticsearch-keys.ts';
import { lineAt, postLines } from './post-lines.ts';
import { runHotitem } from './run-hotitem.ts';
import { setUpIndexes } from './set-up.ts';
import { type SinkSettings, sinkSettings, startSinkService } from './sink-topic.ts';

jest.setTimeout(300_000);
const WAIT_MS = 60_000;
const NOBODY = 65_534;
const TWO_HOURS_S = 7_200;
const SINK = { indices: [{ names: ['hot_item*'], privileges: ['create_doc', 'auto_configure'] }] };

// What nginx has to do with it is in status.test.ts.
const suite = FULL ? suiteWith(['kafka', 'elasticsearch'], { stops: true }) : describe.skip;

suite('hotitem doctor names the cause, and the command that mends it', () => {
  const folder = temporaryFolder('doctor');
  const keyFile = join(folder.path, 'sink.key');
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;
  let proxy: TlsProxy;
  let clock: FakeClock;
  let env: SinkSettings;
  let sidecar: Service;
  let sink: Service | undefined;

  beforeAll(async () => {
    clock = await obtainClock();
    [kafka, elasticsearch] = await Promise.all([sharedKafka(), startElasticsearch(WITH_KEYS)]);
    proxy = await startTlsProxy(elasticsearch.node, folder.path);
    const [admin, sinkAdmin] = await freePorts(2);
    env = {
      ...sinkSettings('doctor', { brokers: kafka.brokers, node: proxy.address }),
      HOTITEM_HOME: join(folder.path, 'home'),
      HOTITEM_ADMIN_LISTEN: `127.0.0.1:${admin}`,
      HOTITEM_ADMIN_SINK_LISTEN: `127.0.0.1:${sinkAdmin}`,
      HOTITEM_ELASTICSEARCH_DATA_STREAM: 'hot_item',
      HOTITEM_ELASTICSEARCH_CA_FILE: proxy.caFile,
      HOTITEM_ELASTICSEARCH_API_KEY_FILE: keyFile,
    };
    await useKey({ setup: { cluster: ['all'], indices: [{ names: ['*'], privileges: ['all'] }] } });
    sidecar = await startService({
      args: ['sidecar'],
      env: { ...env, ...clock.env },
      admin: env.HOTITEM_ADMIN_LISTEN ?? '',
      logFile: join(folder.path, 'sidecar.log'),
    });
  });
  afterAll(async () => {
    await sink?.stop();
    await sidecar?.stop();
    proxy?.close();
    clock?.remove();
    await Promise.all([kafka?.close(), elasticsearch?.close()]);
    folder.remove();
  });

  test('no topic', async () => {
    const { code, stdout } = await doctor();
    expect(code).toBe(1);
    expect(stdout).toContain(`Kafka has no topic ${env.HOTITEM_KAFKA_TOPIC}  [no-topic]`);
    expect(commandOf(stdout, 'no-topic')).toBe('hotitem setup');
    await setUpIndexes(env);
    await isMended('no-topic');
  });

  test('no sink', async () => {
    const { code, stdout } = await doctor();
    expect(code).toBe(1);
    expect(stdout).toContain(`no sink is in the group ${env.HOTITEM_KAFKA_GROUP}  [no-sink]`);
    expect(commandOf(stdout, 'no-sink')).toBe('systemctl start hotitem-sink');
    sink = await startSinkService(env, join(folder.path, 'sink.log'));
    await isMended('no-sink');
  });

  test('an expired API key', async () => {
    const key = await useKey({ sink: SINK }, '1s');
    await until(async () => (await ask('_security/_authenticate', `ApiKey ${key}`)).status === 401, {
      timeoutMs: WAIT_MS,
      what: 'the end of the key',
    });
    const { code, stdout } = await doctor();
    expect(code).toBe(1);
    expect(stdout).toMatch(/rejects the login \(401\).* {2}\[index-login\]/);
    expect(commandOf(stdout, 'index-login')).toContain('_security/api_key');
    expect(stdout).not.toContain(key);
    await useKey({ sink: SINK });
    await isMended('index-login');
  });

  test('a clock that Kafka rejects', async () => {
    clock.step(TWO_HOURS_S);
    await postLines(join(folder.path, 'home/run/intake.sock'), [lineAt(Date.now())]);
    const named = async () => {
      const { stdout } = await doctor();
      return stdout.includes('[clock]') ? stdout : undefined;
    };
    const stdout = await until(named, { timeoutMs: WAIT_MS, what: 'the clock', detail: sidecar.log });
    expect(stdout).toMatch(/^verdict .*; does NOT deliver since /m);
    expect(commandOf(stdout, 'clock')).toBe('timedatectl set-ntp true');
    clock.step(0);
    await isMended('clock');
  });

  test('a certificate that the user of the service cannot read', async () => {
    const home = join(folder.path, 'nobodys');
    mkdirSync(home);
    chownSync(home, NOBODY, NOBODY);
    chmodSync(folder.path, 0o755);
    const secrets = join(folder.path, 'secrets');
    mkdirSync(secrets, { mode: 0o700 });
    const caFile = join(secrets, 'ca.pem');
    writeFileSync(caFile, await run('cat', [proxy.caFile]).then(({ stdout }) => stdout), { mode: 0o600 });
    const [port] = await freePorts(1);
    // Nothing runs yet: whose service it is shows by its folder.
    const settings = {
      HOTITEM_HOME: home,
      HOTITEM_ADMIN_LISTEN: `127.0.0.1:${port}`,
      ELASTICSEARCH_NODE: proxy.address,
      HOTITEM_ELASTICSEARCH_CA_FILE: caFile,
    };
    const { code, stdout } = await doctor(settings);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^checked as the user nobody \(uid 65534/);
    expect(stdout).toMatch(/cannot read elasticsearch\.ca_file: EACCES.* {2}\[certificate-unreadable\]/);
    const command = commandOf(stdout, 'certificate-unreadable');
    expect((await run('sh', ['-c', command])).code).toBe(0);
    expect((await doctor(settings)).stdout).not.toContain('certificate-');
  });

  (canMakeDisk() ? test : test.skip)('a full disk', async () => {
    const disk = await makeDisk(64);
    try {
      await disk.fill();
      const { code, stdout } = await doctor({ ...env, HOTITEM_SPOOL_DIR: join(disk.path, 'spool') });
      expect(code).toBe(1);
      expect(stdout).toMatch(/the disk of .* has 0 MB left {2}\[disk-full\]/);
      expect(commandOf(stdout, 'disk-full')).toMatch(/^du /);
    } finally {
      await disk.close();
    }
  });

  function doctor(settings: SinkSettings = env): Promise<Ran> {
    return runHotitem(['doctor', '--no-view'], settings);
  }

  async function isMended(id: string): Promise<void> {
    let last = '';
    const gone = async () => {
      last = (await doctor()).stdout;
      return last.startsWith('checked as') && !last.includes(`[${id}]`);
    };
    await until(gone, { timeoutMs: WAIT_MS, what: `no ${id} any more`, detail: () => last });
  }

  /** Makes a key and has the services use it from their next start on. Returns it. */
  async function useKey(roles: object, expiration = '1h'): Promise<string> {
    const body = { name: 'hotitem', expiration, role_descriptors: roles };
    const reply = await ask('_security/api_key', ADMINISTRATOR, body);
    const { encoded } = (await reply.json()) as { encoded: string };
    writeFileSync(keyFile, `${encoded}\n`, { mode: 0o600 });
    return encoded;
  }

  function ask(path: string, authorization: string, body?: object): Promise<Response> {
    return fetch(`${elasticsearch.node}/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
  }
});
