import { hostname } from 'node:os';
import { z } from 'zod';
import { IP_MODES } from '../../event/address-mask.ts';
import { OMITTABLE } from '../../event/fields.ts';
import {
  address,
  bytes,
  bytesAtOnce,
  count,
  dataStream,
  group,
  headerText,
  hostName,
  listenAddress,
  path,
  seconds,
  topic,
  url,
  words,
  yesOrNo,
} from './setting-types.ts';

const DAY = 24;
const MOST_DAYS = 36_500;
const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Every setting, with its default and what it means. A path that is not absolute lies below `home`.
 * The same name works in the file (`spool.max_bytes`), the environment (`HOTITEM_SPOOL_MAX_BYTES`) and as a flag (`--spool-max-bytes`).
 */
export const settings = z.strictObject({
  home: path.default('var').describe('folder of all state'),
  node: words.default(hostname()).describe('name of this nginx host in every event'),
  shutdown_seconds: seconds
    .default(10)
    .describe('longest clean shutdown; then what is not finished is left to the next start'),

  intake: z
    .strictObject({
      socket: path.default('run/intake.sock').describe('unix socket that nginx posts to'),
      socket_mode: z
        .string()
        .regex(/^0[0-7]{3}$/, 'must be octal like 0660')
        .refine((mode) => (Number.parseInt(mode, 8) & 0o222) !== 0, { message: 'lets nobody post' })
        .default('0660')
        .describe('who may post: the group of the nginx workers needs rw'),
      socket_group: words.optional().describe('group of the socket, as a number or a name'),
      max_request_bytes: bytesAtOnce
        .default(2 * MIB)
        .describe(
          'largest request; a larger one is answered with 413. Twice this much may be in hand at once',
        ),
      max_connections: count.default(1024).describe('connections of nginx at once'),
    })
    .prefault({}),

  control: z
    .strictObject({
      socket: path
        .default('run/control.sock')
        .describe(
          'unix socket that `hotitem capture`, `verify`, `replay` and `dead-letters` ask; for the owner alone',
        ),
    })
    .prefault({}),

  spool: z
    .strictObject({
      dir: path.default('spool').describe('folder of the spool'),
      // Less holds not even the longest line twice.
      max_bytes: bytes
        .min(128 * KIB)
        .default(4096 * MIB)
        .describe('when this much waits, intake answers 503 and nginx spills'),
      segment_bytes: bytesAtOnce.default(64 * MIB).describe('size of one file'),
      fsync: z
        .enum(['always', '1s', 'never'])
        .default('1s')
        .describe(
          'what a power cut may take: nothing, one second, or what the kernel had not written. kill -9 takes nothing',
        ),
      ladder: z
        .enum(['on', 'off'])
        .default('on')
        .describe('whether a spool that fills keeps a sample of the events, weighted, before it refuses all'),
      ladder_from: z
        .number()
        .min(0.1)
        .max(0.99)
        .default(0.8)
        .describe('how full the spool is when that begins: one in two, then 4, 8, 16, 64 at equal distances'),
      retain_bytes: z
        .number()
        .int()
        .min(0)
        .default(0)
        .describe('how much of what is delivered is kept for `hotitem replay`, as far as max_bytes has room'),
      retain_hours: z
        .number()
        .min(0)
        .default(0)
        .describe('how long what is delivered is kept for it; a file goes when it is beyond both'),
    })
    .prefault({}),

  nginx: z
    .strictObject({
      dir: path.default('/etc/nginx/hotitem').describe('folder of the includes, for `hotitem nginx install`'),
      engine: z
        .enum(['njs', 'qjs'])
        .default('njs')
        .describe('which engine runs the script; qjs needs njs 1.0.1'),
      breaker: address
        .optional()
        .describe(
          'loopback address on which nginx answers itself while the sidecar is unavailable; without it at a port of the shop, else 127.0.0.1:9189',
        ),
      max_conns: count.max(10_000).default(3).describe('views of a worker that wait for the sidecar at once'),
      timeout_ms: count
        .min(10)
        .max(10_000)
        .default(150)
        .describe('how long such a view waits; the next request of its connection waits as long'),
      fail_timeout_seconds: count
        .max(3600)
        .default(30)
        .describe('how long a worker spills after a failure, before it asks the sidecar again'),
      zone_mb: count
        .max(4096)
        .default(16)
        .describe('shared memory of capture-batch.conf; a change needs a restart of nginx'),
      log_cache: z
        .enum(['on', 'off'])
        .default('on')
        .describe('off where nginx.conf has an open_log_file_cache of its own beside log.conf'),
    })
    .prefault({}),

  spill: z
    .strictObject({
      dir: path.default('spill').describe('folder where nginx writes while the sidecar is away'),
      max_bytes: bytes
        .default(1024 * MIB)
        .describe('when the folder holds this much, nginx drops what it would spill'),
    })
    .prefault({}),

  event: z
    .strictObject({
      omit: z
        .array(z.enum(OMITTABLE))
        .default([])
        .describe(`fields that no event has: any of ${OMITTABLE.join(', ')}`),
    })
    .prefault({}),

  privacy: z
    .strictObject({
      ip: z
        .enum(IP_MODES)
        .default('full')
        .describe(
          'what is kept of addresses: full, truncate (/24 or /48), hash (changes each UTC day) or drop (visitors are then not counted)',
        ),
      ip_salt: z
        .string()
        .min(16)
        .optional()
        .describe(
          'what hashes of addresses and visitor keys are made with, at least 16 characters, the same on every node (secret)',
        ),
    })
    .refine(({ ip, ip_salt }) => ip !== 'hash' || ip_salt !== undefined, {
      path: ['ip_salt'],
      message: 'must be set where privacy.ip is hash, the same on every node',
    })
    .prefault({}),

  heat: z
    .strictObject({
      enabled: yesOrNo.default(true).describe('false to look for no hot items'),
      dir: path
        .optional()
        .describe('folder of the hot list, which nginx looks into; without it `hot` beside intake.socket'),
      rules: path
        .optional()
        .describe('YAML file of rules for hot items, read again when it changes; none is needed'),
      cap: count
        .max(10_000)
        .default(100)
        .describe('most items that are hot at once by one signal; pins come on top'),
    })
    .prefault({}),

  admin: z
    .strictObject({
      listen: listenAddress.default('127.0.0.1:9180').describe('page, metrics and health of the sidecar'),
      sink_listen: listenAddress.default('127.0.0.1:9181').describe('metrics and health of `hotitem sink`'),
      allowed_hosts: z
        .array(hostName)
        .default([])
        .describe('further Host headers to answer, for a reverse proxy'),
    })
    .prefault({}),

  kafka: z
    .strictObject({
      brokers: z
        .array(address)
        .default([])
        .describe('bootstrap brokers; none means embedded. Also KAFKA_BROKERS'),
      client: z
        .enum(['kafkajs', 'platformatic'])
        .default('kafkajs')
        .describe('library that speaks to Kafka: kafkajs, or platformatic, which is faster and younger'),
      tls: yesOrNo.default(false).describe('true to speak TLS to the brokers'),
      ca_file: path
        .optional()
        .describe(
          'PEM file of the authority that signed their certificates; without it, those that Node knows',
        ),
      sasl: z
        .strictObject({
          mechanism: z
            .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
            .optional()
            .describe('how to log in: plain (only over TLS), scram-sha-256 or scram-sha-512'),
          username: words.optional().describe('login'),
          password: z.string().min(1).optional().describe('its password (secret)'),
        })
        .refine(({ mechanism, username }) => (mechanism === undefined) === (username === undefined), {
          path: ['username'],
          message: 'mechanism, username and password go together',
        })
        .refine(({ username, password }) => (username === undefined) === (password === undefined), {
          path: ['password'],
          message: 'mechanism, username and password go together',
        })
        .prefault({}),
      compression: z
        .enum(['gzip', 'none'])
        .default('gzip')
        .describe('of what is sent: gzip (an eighth of the bytes) or none'),
      headers: z
        .enum(['event', 'row'])
        .default('event')
        .describe('which records say node, boot and seq: each event, or the first of a row (cheaper)'),
      batch_events: count.max(10_000).default(1000).describe('most events in one request to Kafka'),
      batch_bytes: bytesAtOnce
        .default(512 * 1024)
        .describe('most bytes of events in one request, below max.message.bytes of the topic'),
      requests: count.max(16).default(2).describe('requests to Kafka under way at once'),
      linger_ms: z
        .number()
        .int()
        .min(0)
        .max(1000)
        .default(20)
        .describe('how long events wait for others to go with them to Kafka'),
      topic: topic.default('collection_hot_item').describe('topic of the events'),
      dead_letter_topic: topic
        .default('collection_hot_item.dead')
        .describe('topic of what Kafka or the index refuses for good'),
      group: group
        .optional()
        .describe(
          'consumer group of the sinks; without it hotitem-sink for the topic collection_hot_item, hotitem-sink-TOPIC for any other',
        ),
      partitions: count.max(10_000).default(6).describe('partitions of a new topic'),
      replication_factor: count.max(32_767).default(1).describe('replicas of a new topic; 3 in production'),
      retention_hours: count
        .max(MOST_DAYS * DAY)
        .default(7 * DAY)
        .describe('how long a new topic keeps events; where this is set, one that is there as well'),
    })
    .refine(({ tls, ca_file }) => tls || ca_file === undefined, {
      path: ['ca_file'],
      message: 'is of no use without kafka.tls',
    })
    .refine(({ topic, dead_letter_topic }) => metricName(topic) !== metricName(dead_letter_topic), {
      path: ['dead_letter_topic'],
      message: 'must be another topic than kafka.topic; to Kafka . and _ are the same in names',
    })
    .prefault({}),

  elasticsearch: z
    .strictObject({
      node: url.optional().describe('address of Elasticsearch; none means DuckDB. Also ELASTICSEARCH_NODE'),
      api_key: headerText.optional().describe('encoded API key (secret)'),
      username: words
        .refine((name) => !name.includes(':'), { message: 'must not hold a colon' })
        .optional()
        .describe('login, where there is no API key'),
      password: z.string().min(1).optional().describe('its password (secret)'),
      ca_file: path.optional().describe('PEM file of the authority that signed its certificate'),
      data_stream: dataStream.default('hot_item').describe('data stream of the events'),
      template_priority: z
        .number()
        .int()
        .min(0)
        .max(2 ** 31 - 1)
        .default(500)
        .describe('of the index template; of two for the same name the higher applies'),
      retention_days: count.max(MOST_DAYS).default(30).describe('how long its lifecycle keeps events'),
      refresh_seconds: seconds.default(1).describe('how soon a document can be searched; larger is cheaper'),
      shards: count.max(1024).default(1).describe('primary shards of a backing index'),
      replicas: z
        .number()
        .int()
        .min(0)
        .max(1023)
        .default(0)
        .describe('copies of each shard; 1 or more in production'),
    })
    .refine(({ api_key, username }) => api_key === undefined || username === undefined, {
      path: ['api_key'],
      message: 'there is a username as well: set one of them',
    })
    .refine(({ username, password }) => (username === undefined) === (password === undefined), {
      path: ['password'],
      message: 'username and password go together',
    })
    .refine(({ node, ca_file }) => ca_file === undefined || node === undefined || node.startsWith('https:'), {
      path: ['ca_file'],
      message: 'is of no use without https in elasticsearch.node',
    })
    .prefault({}),

  duckdb: z
    .strictObject({
      path: path.default('duckdb/hotitem.duckdb').describe('file of the embedded index'),
      // With 8 MB DuckDB does nothing at all.
      memory_mb: count.min(16).default(256).describe('memory limit of the embedded index'),
      retention_days: count.max(MOST_DAYS).default(30).describe('how long it keeps events'),
    })
    .prefault({}),

  sink: z
    .strictObject({
      batch_events: count
        .max(10_000)
        .default(5000)
        .describe('events in one bulk request; shrinks by itself when refused'),
      concurrency: count.max(64).default(3).describe('Kafka partitions worked on at once'),
      requests: count.max(16).default(3).describe('bulk requests under way at once, of all partitions'),
      article_time_zone: z
        .string()
        .refine((zone) => isTimeZone(zone), { message: 'must be the name of a time zone like Europe/Berlin' })
        .default('UTC')
        .describe(
          "time zone of `actime` in messages of the article's format; asked only where Kafka's record has no time",
        ),
    })
    .prefault({}),

  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error'])
        .default('info')
        .describe('least severe line that is written'),
    })
    .prefault({}),
});

export type Settings = z.output<typeof settings>;

/** Kafka refuses a topic whose metrics would have the name of another's. */
function metricName(topicName: string): string {
  return topicName.replaceAll('.', '_');
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
