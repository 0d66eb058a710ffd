import { writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { ConfigError, type ConfigSources, loadConfig } from '../../../../service/config/config.ts';
import { SETTINGS } from '../../../../service/config/setting.ts';
import { temporaryFolder } from '../../../parts/guard.ts';

const { path: folder, remove } = temporaryFolder('config');
afterAll(remove);

describe('the configuration', () => {
  test('has a default for everything, with all state below var/ of the working directory', () => {
    expect(load({})).toMatchObject({
      home: join(process.cwd(), 'var'),
      intake: { socket: join(process.cwd(), 'var/run/intake.sock') },
      admin: { listen: '127.0.0.1:9180' },
      kafka: { brokers: [], topic: 'collection_hot_item' },
    });
  });

  test('prefers flags to the environment, and that to the file', () => {
    const file = yaml('spool:\n  max_bytes: 200000\n  segment_bytes: 2\n  fsync: never\n');
    const env = { HOTITEM_SPOOL_SEGMENT_BYTES: '20', HOTITEM_SPOOL_FSYNC: 'always' };
    expect(load({ file, env, flags: { 'spool-fsync': '1s' } }).spool).toMatchObject({
      max_bytes: 200_000,
      segment_bytes: 20,
      fsync: '1s',
    });
  });

  test.each<[string, Partial<ConfigSources>]>([
    ['the file', { file: yaml('spool:\n  ladder: "off"\n  ladder_from: 0.5\n') }],
    ['the environment', { env: { HOTITEM_SPOOL_LADDER: 'off', HOTITEM_SPOOL_LADDER_FROM: '0.5' } }],
    ['flags', { flags: { 'spool-ladder': 'off', 'spool-ladder-from': '0.5' } }],
  ])('accepts former names in %s', (_, sources) => {
    const { spool, given } = load(sources);
    expect(spool).toMatchObject({ shedding: 'off', shedding_from: 0.5 });
    expect(spool).not.toHaveProperty('ladder');
    expect([...given]).toEqual(['spool.shedding', 'spool.shedding_from']);
  });

  test('prefers the environment to a former name in the file, and rejects both names in one file', () => {
    const env = { HOTITEM_SPOOL_SHEDDING: 'on' };
    expect(load({ file: yaml('spool: { ladder: "off" }'), env }).spool.shedding).toBe('on');
    expect(problems({ file: yaml('spool: { ladder: "off", shedding: "on" }') })).toEqual([
      'spool.ladder: former name of spool.shedding, which is set too: remove it',
    ]);
  });

  test.each<[string, Partial<ConfigSources>, string]>([
    [
      'variables',
      { env: { HOTITEM_SPOOL_LADDER: 'off', HOTITEM_SPOOL_SHEDDING: 'on' } },
      'HOTITEM_SPOOL_LADDER: former name of HOTITEM_SPOOL_SHEDDING, which is set too: remove it',
    ],
    [
      'variables, the new one first',
      { env: { HOTITEM_SPOOL_SHEDDING: 'on', HOTITEM_SPOOL_LADDER: 'off' } },
      'HOTITEM_SPOOL_LADDER: former name of HOTITEM_SPOOL_SHEDDING, which is set too: remove it',
    ],
    [
      'flags',
      { flags: { 'spool-ladder': 'off', 'spool-shedding': 'on' } },
      '--spool-ladder: former name of --spool-shedding, which is set too: remove it',
    ],
    [
      'variables, a secret and its file',
      { env: { HOTITEM_KAFKA_SASL_PASSWORD_FILE: 'x', HOTITEM_KAFKA_SASL_PASSWORD: 'hunter2' } },
      'HOTITEM_KAFKA_SASL_PASSWORD and HOTITEM_KAFKA_SASL_PASSWORD_FILE: only one of them may be set',
    ],
  ])('rejects a setting that is set twice by %s', (_, sources, problem) => {
    expect(problems(sources)).toContain(problem);
  });

  test.each([
    [{ HOTITEM_KAFKA_BROKERS: 'ours:9092', KAFKA_BROKERS: 'theirs:9092' }],
    [{ KAFKA_BROKERS: 'theirs:9092', HOTITEM_KAFKA_BROKERS: 'ours:9092' }],
  ])('prefers our variable to the common one, in whichever order they are: %j', (env) => {
    expect(load({ env }).kafka.brokers).toEqual(['ours:9092']);
  });

  test.each<[string, Partial<ConfigSources>, string]>([
    ['variable', { env: { HOTITEM_SPOOL_LADDER_FROM: '7' } }, 'HOTITEM_SPOOL_LADDER_FROM'],
    ['flag', { flags: { 'spool-ladder-from': '7' } }, '--spool-ladder-from'],
    ['name in the file', { file: yaml('spool: { ladder_from: 7 }') }, 'spool.ladder_from'],
    [
      'flag, not the one in the file',
      { file: yaml('spool: { ladder_from: 8 }'), flags: { 'spool-ladder-from': '7' } },
      '--spool-ladder-from',
    ],
  ])('names the former %s that set a wrong value', (_, sources, name) => {
    expect(problems(sources)).toEqual([`spool.shedding_from: must be at most 0.99 (got 7) (set as ${name})`]);
  });

  test.each([
    ['protect: { hosts: shop.example.org }', 'protect.hosts: must be a list (got "shop.example.org")'],
    ['intake: { socket_mode: 0660 }', 'intake.socket_mode: must be text in quotes (got 660)'],
    ['spool: { max_bytes: 1GB }', 'spool.max_bytes: must be a number (got "1GB")'],
    ['protect: { refresh_ms: 50 }', 'protect.refresh_ms: must be at least 100 (got 50)'],
    ['node: ""', 'node: must not be empty (got "")'],
    ['kafka: { client: rdkafka }', 'kafka.client: must be kafkajs or platformatic (got "rdkafka")'],
    ['elasticsearch: { node: es }', 'elasticsearch.node: must be a URL like https://HOST:PORT (got "es")'],
    ['webhooks: [{ name: a, url: "https://a.test" }]', 'webhooks.0.secret_file: is missing'],
  ])('says once, in its own words, what is wrong with %s', (text, problem) => {
    expect(problems({ file: yaml(text) })).toEqual([problem]);
  });

  test('names no former name that another source overrides', () => {
    const file = yaml('spool: { ladder_from: 0.5 }');
    expect(problems({ file, env: { HOTITEM_SPOOL_SHEDDING_FROM: '7' } })).toEqual([
      'spool.shedding_from: must be at most 0.99 (got 7)',
    ]);
  });

  test.each([['spool: { ladder: , shedding: "off" }'], ['spool: { ladder: "off", shedding: }']])(
    'takes a setting without a value beside its other name for missing: %s',
    (text) => {
      expect(load({ file: yaml(text) }).spool.shedding).toBe('off');
    },
  );

  test('knows the common variables for the two addresses', () => {
    const env = { KAFKA_BROKERS: 'a:9092, b:9092', ELASTICSEARCH_NODE: 'http://es:9200' };
    expect(load({ env })).toMatchObject({
      kafka: { brokers: ['a:9092', 'b:9092'] },
      elasticsearch: { node: 'http://es:9200' },
    });
  });

  test.each([
    ['the one of always for the topic of always', {}, 'hotitem-sink'],
    ['another for another topic', { HOTITEM_KAFKA_TOPIC: 'staging' }, 'hotitem-sink-staging'],
    ['the one that is named', { HOTITEM_KAFKA_TOPIC: 'staging', HOTITEM_KAFKA_GROUP: 'mine' }, 'mine'],
  ])('has a group for each topic: %s', (_, env, group) => {
    expect(load({ env }).kafka.group).toBe(group);
  });

  test('reads a secret from a file that the environment names', () => {
    const env = { HOTITEM_ELASTICSEARCH_API_KEY_FILE: yaml('secret\n') };
    expect(load({ env }).elasticsearch.api_key).toBe('secret');
  });

  test('reads the salt of hashed addresses from a file, and rejects hashing without one', () => {
    const hashed = { HOTITEM_PRIVACY_IP: 'hash' };
    const salted = { ...hashed, HOTITEM_PRIVACY_IP_SALT_FILE: yaml('a secret of the nodes\n') };
    expect(load({ env: salted }).privacy).toEqual({ ip: 'hash', ip_salt: 'a secret of the nodes' });
    expect(problems({ env: hashed })).toEqual([
      'privacy.ip_salt: must be set if privacy.ip is hash, to the same on every node',
    ]);
  });

  test('reads the login of Kafka from the environment, its password from a file', () => {
    const env = {
      HOTITEM_KAFKA_TLS: 'true',
      HOTITEM_KAFKA_CA_FILE: 'ca.pem',
      HOTITEM_KAFKA_SASL_MECHANISM: 'scram-sha-512',
      HOTITEM_KAFKA_SASL_USERNAME: 'hotitem',
      HOTITEM_KAFKA_SASL_PASSWORD_FILE: yaml('secret\n'),
    };
    expect(load({ env }).kafka).toMatchObject({
      tls: true,
      ca_file: join(process.cwd(), 'ca.pem'),
      sasl: { mechanism: 'scram-sha-512', username: 'hotitem', password: 'secret' },
    });
  });

  test.each([
    [{ HOTITEM_KAFKA_TLS: 'yes' }, 'kafka.tls: must be true or false (got "yes")'],
    [{ HOTITEM_KAFKA_CA_FILE: 'ca.pem' }, 'kafka.ca_file: has no effect without kafka.tls'],
    [
      { HOTITEM_KAFKA_SASL_USERNAME: 'hotitem', HOTITEM_KAFKA_SASL_PASSWORD: 'secret' },
      'kafka.sasl.username: mechanism, username and password must be set together',
    ],
  ])('reports what is wrong with a connection to Kafka: %j', (env, problem) => {
    expect(problems({ env })).toEqual([problem]);
  });

  test('names the fields that cannot be omitted', () => {
    expect(load({ env: { HOTITEM_EVENT_OMIT: 'ua, ref' } }).event.omit).toEqual(['ua', 'ref']);
    expect(problems({ env: { HOTITEM_EVENT_OMIT: 'item' } })[0]).toContain('event.omit.0: ');
  });

  test('reports all problems at once, each with the setting and the value', () => {
    const file = yaml('spol: {}\nintake:\n  sockets: x\nlog:\n  level: loud\nkafka:\n  brokers: [nowhere]\n');
    const env = { HOTITEM_SPOOL_MAX_BYTES: 'many', HOTITEM_NODES: 'x' };
    expect(problems({ file, env })).toEqual([
      'HOTITEM_NODES: unknown variable, did you mean HOTITEM_NODE?',
      'intake.sockets: unknown setting, did you mean intake.socket?',
      expect.stringContaining('spool.max_bytes: '),
      expect.stringMatching(/^kafka\.brokers\.0: must be HOST:PORT.*\(got "nowhere"\)$/),
      expect.stringContaining('log.level: '),
      'spol: unknown setting, did you mean spool?',
    ]);
  });

  test('says how a name with dots is written in YAML, instead of suggesting the same name', () => {
    const file = yaml(
      'intake.socket_group: www-data\nkafka.sasl.password: hunter2\nkafka.sasl: {}\nkafka:\n  sasl.username: x\nspol.max_bytes: 1\n',
    );
    expect(problems({ file })).toEqual([
      'kafka.sasl.username: must be nested in YAML: kafka: { sasl: { username: … } }',
      'intake.socket_group: must be nested in YAML: intake: { socket_group: … }',
      'kafka.sasl.password: must be nested in YAML: kafka: { sasl: { password: … } }',
      'kafka.sasl: must be nested in YAML: kafka: { sasl: … }',
      'spol.max_bytes: unknown setting, did you mean spool.max_bytes?',
    ]);
  });

  test.each([
    [{ ELASTICSEARCH_NODE: 'http://user:hunter2@es:9200' }],
    [{ HOTITEM_ELASTICSEARCH_NODE: 'ftp://user:hunter2@es' }],
    [{ HOTITEM_ELASTICSEARCH_PASSWORD: 'hunter2' }],
    [{ HOTITEM_PRIVACY_IP_SALT: 'hunter2' }],
    [{ ELASTICSEARCH_NODE: 'http://user:a/hunter2@b@es:9200' }],
    [{ KAFKA_BROKERS: 'user:hunter2@kafka:9092' }],
    [{ HOTITEM_KAFKA_SASL_PASSWORD: 'hunter2' }],
    [{ ELASTICSEARCH_NODE: 'http://:hunter2@es:9200' }],
    [{ ELASTICSEARCH_NODE: 'http://hunter2@es:9200' }],
    [{ ELASTICSEARCH_NODE: 'http://es:9200/?api_key=hunter2' }],
    [{ ELASTICSEARCH_NODE: 'http://es:9200/?api_key=a@hunter2' }],
    [{ ELASTICSEARCH_NODE: 'http://es:9200/#hunter2' }],
    [{ ELASTICSEARCH_NODE: 'http://user:hunter2"b@es:9200' }],
    [{ KAFKA_BROKERS: 'Endpoint=sb://x/;SharedAccessKey=hunter2' }],
    [{ HOTITEM_KAFKA_SASL_USERNAME: 'hotitem', HOTITEM_KAFKA_SASL_PASSWORD: 'hunter2' }],
  ])('shows no secret in a problem: %j', (env) => {
    expect(problems({ env })).not.toEqual([]);
    expect(problems({ env }).join()).not.toContain('hunter2');
  });

  test.each([
    'kafka:\n  sasl: hunter2\n',
    'kafka:\n  sasl: [hunter2]\n',
    'kafka: hunter2\n',
    'kafka:\n  brokers: [[hunter2]]\n',
    'kafka:\n  sasl: {password:hunter2}\n',
    'elasticsearch: [api_key, hunter2]\n',
    'privacy:\n  ip_salt: {a: hunter2}\n',
    'elasticsearch:\n  password: *hunter2\n',
    'elasticsearch:\n  password: !hunter2 x\n',
    'elasticsearch:\n  password: |hunter2\n',
    'elasticsearch:\n  password: "\\xhunter2"\n',
    'hunter2\n',
    '[hunter2]\n',
  ])('shows no secret of a file in a problem or warning: %j', (text) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    expect(problems({ file: yaml(text) })).not.toEqual([]);
    expect(problems({ file: yaml(text) }).join()).not.toMatch(/hunter|xhu/);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test.each([
    ['http://shop.example/hook', 'must be https, unless it is on this host'],
    ['https://user:secret@shop.example/', 'must not contain a login'],
    ['ftp://shop.example/', 'webhooks.0.url'],
    ['shop.example', 'webhooks.0.url'],
  ])('rejects the webhook %s, and does not show its address', (url, problem) => {
    const load = () => withWebhooks([{ name: 'a', url, secret_file: 'secret' }]);
    expect(load).toThrow(problem);
    expect(load).not.toThrow('shop.example');
  });

  test.each([
    'https://shop.example/hook?key=1',
    'http://127.0.0.1:8090/',
    'http://[::1]:8090/',
    'http://localhost/',
  ])('accepts the webhook %s', (url) => {
    const [webhook] = withWebhooks([{ name: 'a', url, secret_file: 'secret' }]).webhooks;
    expect(webhook).toMatchObject({ url, enabled: true, changes: ['enters', 'leaves'], rules: [] });
    expect(isAbsolute(webhook?.secret_file ?? '')).toBe(true);
  });

  test('rejects two webhooks of one name, nine, and an unknown key', () => {
    const one = { name: 'a', url: 'https://shop.example/', secret_file: 'secret' };
    expect(() => withWebhooks([one, one])).toThrow('webhooks: must have different names');
    expect(() => withWebhooks(Array.from({ length: 9 }, (_, i) => ({ ...one, name: `${i}` })))).toThrow(
      'webhooks',
    );
    expect(() => withWebhooks([{ ...one, secret: 'x' }])).toThrow('webhooks.0.secret: unknown setting');
  });

  test.each([
    ['0.0.0.0:9180', true],
    ['192.0.2.1:9180', true],
    ['[::]:9180', true],
    ['127.0.0.1:9180', false],
    ['[::1]:9180', false],
    ['localhost:9180', false],
  ])('a control token where the listener is %s is an error: %p', (listen, isWrong) => {
    const load = () =>
      loadConfig({ env: {}, flags: { 'admin-listen': listen, 'admin-control-token-file': 'token' } });
    if (isWrong)
      expect(load).toThrow('admin.control_token_file: works only while admin.listen is a loopback address');
    else expect(load().admin.control_token_file).toMatch(/^\/.*token$/);
  });

  test('reports the place at which a file is not YAML', () => {
    expect(problems({ file: yaml('a: 1\nb: @x\n') })).toEqual([
      expect.stringMatching(/yml: line 2, column 4: not valid YAML/),
    ]);
  });

  describe('with the variables that Kubernetes sets for a Service named hotitem', () => {
    const ofService = {
      HOTITEM_SERVICE_HOST: '10.96.0.17',
      HOTITEM_SERVICE_PORT: '9180',
      HOTITEM_SERVICE_PORT_HTTP_PAGE: '9180',
      HOTITEM_PORT: 'tcp://10.96.0.17:9180',
      HOTITEM_PORT_9180_TCP: 'tcp://10.96.0.17:9180',
      HOTITEM_PORT_9180_TCP_PROTO: 'tcp',
      HOTITEM_PORT_9180_TCP_PORT: '9180',
      HOTITEM_PORT_9180_TCP_ADDR: '10.96.0.17',
    };
    const ofAnother = {
      HOTITEM_SINK_SERVICE_HOST: 'fd00::17',
      HOTITEM_SINK_SERVICE_PORT: '9181',
      HOTITEM_SINK_PORT: 'udp://[fd00::17]:9181',
      HOTITEM_SINK_PORT_9181_UDP_ADDR: 'fd00::17',
    };

    test('starts, and says what it ignores', () => {
      const env = { ...ofService, ...ofAnother, HOTITEM_NODE: 'web-1' };
      expect(load({ env }).node).toBe('web-1');
      expect(load({ env }).ignored.toSorted()).toEqual(
        Object.keys({ ...ofService, ...ofAnother }).toSorted(),
      );
      expect(load({}).ignored).toEqual([]);
    });

    test.each([
      { HOTITEM_PORT: '9180' },
      { HOTITEM_ADMIN_PORT: '9180' },
      { HOTITEM_SERVICE_HOST: 'page.example.com' },
      { HOTITEM_SERVICE_PORT: 'http' },
      { HOTITEM_SERVICE_NAME: 'x' },
      { HOTITEM_PORT_9180: 'tcp://10.96.0.17:9180' },
    ])('still rejects what may be a typo: %j', (env) => {
      expect(problems({ env })).toEqual([expect.stringMatching(/^HOTITEM_\w+: unknown variable/)]);
    });
  });

  test('knows which settings were given, whatever their value', () => {
    const file = yaml('kafka:\n  retention_hours: 168\nspool: {}\n');
    const env = { HOTITEM_KAFKA_PARTITIONS: '6', KAFKA_BROKERS: 'a:9092' };
    expect([...load({ file, env, flags: { 'elasticsearch-shards': '1' } }).given].toSorted()).toEqual([
      'elasticsearch.shards',
      'kafka.brokers',
      'kafka.partitions',
      'kafka.retention_hours',
    ]);
    expect(load({}).given.size).toBe(0);
  });

  test('reports a file that does not exist or is not YAML', () => {
    expect(problems({ file: join(folder, 'missing.yml') })[0]).toContain('missing.yml');
    expect(problems({ file: yaml('a: [') })).toHaveLength(1);
  });

  test('has a flag and a variable of the same name for each setting', () => {
    for (const { path, env, flag } of SETTINGS) {
      expect(env).toBe(`HOTITEM_${path.join('_').toUpperCase()}`);
      expect(flag).toBe(path.join('-').replaceAll('_', '-'));
    }
  });
});

function load({ file, env = {}, flags = {} }: Partial<ConfigSources>) {
  return loadConfig({ file: file ?? yaml(''), env, flags });
}

function withWebhooks(webhooks: object[]) {
  return load({ file: yaml(JSON.stringify({ webhooks })) });
}

function problems(sources: Partial<ConfigSources>): string[] {
  try {
    load(sources);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

function yaml(text: string): string {
  const path = join(folder, `${Math.random()}.yml`);
  writeFileSync(path, text);
  return path;
}
