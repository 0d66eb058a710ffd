import { hostname } from 'node:os';
import * as z from 'zod';
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
  heading,
  hostName,
  isLoopback,
  listenAddress,
  path,
  requestHeader,
  seconds,
  topic,
  url,
  webhookUrl,
  words,
  yesOrNo,
} from './setting-types.ts';

const DAY = 24;
const MOST_DAYS = 36_500;
const KIB = 1024;
const MIB = 1024 * KIB;
const SIGNALS = ['busy', 'surge', 'concentrated', 'pin'] as const;
const CHANGES = ['enters', 'changes', 'leaves'] as const;
export const DEFAULT_TOPIC = 'collection_hot_item';
export const DEFAULT_ADMIN = '127.0.0.1:9180';

const webhook = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,40}$/, 'must be 1 to 40 of A-Z a-z 0-9 . _ -'),
  url: webhookUrl,
  secret_file: path,
  enabled: yesOrNo.default(true),
  signals: z
    .array(z.enum(SIGNALS))
    .min(1)
    .default([...SIGNALS]),
  changes: z.array(z.enum(CHANGES)).min(1).default(['enters', 'leaves']),
  rules: z.array(words).max(100).default([]),
});

/**
 * Every setting, with its default and its description. Relative paths are relative to `home`. A setting has the same name in the file
 * (`spool.max_bytes`), the environment (`HOTITEM_SPOOL_MAX_BYTES`) and as a flag (`--spool-max-bytes`).
 */
export const settings = z.strictObject({
  home: path.default('var').describe('folder of all state'),
  node: words.default(hostname()).describe('name of this nginx host in every event'),
  shutdown_seconds: seconds
    .default(10)
    .describe('longest graceful shutdown; unfinished work continues at the next start'),

  intake: z
    .strictObject({
      socket: path.default('run/intake.sock').describe('unix socket that nginx posts to'),
      socket_mode: z
        .string()
        .regex(/^0[0-7]{3}$/, 'must be octal like 0660')
        .refine((mode) => (Number.parseInt(mode, 8) & 0o222) !== 0, {
          message: 'must allow writing for somebody',
        })
        .default('0660')
        .describe("mode of the socket: the group of nginx's workers needs rw"),
      socket_group: words.optional().describe('group of the socket, as a number or a name'),
      max_request_bytes: bytesAtOnce
        .default(2 * MIB)
        .describe(
          'largest request; a larger one gets 413. All requests in flight together may have twice this size',
        ),
      max_connections: count.default(1024).describe('concurrent connections of nginx'),
    })
    .prefault({}),

  control: z
    .strictObject({
      socket: path
        .default('run/control.sock')
        .describe(
          'unix socket for `hotitem capture`, `verify`, `replay` and `dead-letters`; for root and the owner only',
        ),
    })
    .prefault({}),

  spool: z
    .strictObject({
      dir: path.default('spool').describe('folder of the spool'),
      // A smaller one does not hold the longest line twice.
      max_bytes: bytes
        .min(128 * KIB)
        .default(4096 * MIB)
        .describe(
          'limit of the spool; when it is full, the sidecar answers 503 and nginx writes spill files',
        ),
      segment_bytes: bytesAtOnce.default(64 * MIB).describe('size of one segment file'),
      fsync: z
        .enum(['always', '1s', 'never'])
        .default('1s')
        .describe(
          'when the spool is synced to disk: always, every second (1s), or by the kernel (never). A power cut loses what is not synced; kill -9 loses nothing',
        ),
      shedding: z
        .enum(['on', 'off'])
        .default('on')
        .describe(
          'load shedding: on keeps a weighted sample of events when the spool fills up, off keeps all until it is full',
        ),
      shedding_from: z
        .number()
        .min(0.1)
        .max(0.99)
        .default(0.8)
        .describe(
          'fill level at which load shedding starts; in equal steps, it keeps one event in 2, 4, 8, 16, 64',
        ),
      retain_bytes: z
        .number()
        .int()
        .min(0)
        .default(0)
        .describe('bytes of delivered events that are kept for `hotitem replay`, within max_bytes'),
      retain_hours: z
        .number()
        .min(0)
        .default(0)
        .describe(
          'hours that delivered events are kept for `hotitem replay`; a file is deleted when both limits are exceeded',
        ),
    })
    .prefault({}),

  nginx: z
    .strictObject({
      dir: path.default('/etc/nginx/hotitem').describe('folder of the includes, for `hotitem nginx install`'),
      engine: z.enum(['njs', 'qjs']).default('njs').describe('engine of the njs script; qjs needs njs 1.0.1'),
      breaker: address
        .optional()
        .describe(
          'loopback address to which nginx sends views while the sidecar is unavailable; default: a port of the shop, else 127.0.0.1:9189',
        ),
      max_conns: count
        .max(10_000)
        .default(3)
        .describe('views per worker that may wait for the sidecar at the same time'),
      timeout_ms: count
        .min(10)
        .max(10_000)
        .default(150)
        .describe('how long a view waits for the sidecar; the next request on its connection waits as long'),
      fail_timeout_seconds: count
        .max(3600)
        .default(30)
        .describe('how long a worker writes spill files after a failure before it tries the sidecar again'),
      zone_mb: count
        .max(4096)
        .default(16)
        .describe('shared memory of capture-batch.conf; a change needs a restart of nginx'),
      log_cache: z
        .enum(['on', 'off'])
        .default('on')
        .describe('set to off if nginx.conf has its own open_log_file_cache beside log.conf'),
      keeper: address
        .default('127.0.0.1:9188')
        .describe(
          "loopback address on which nginx listens for the sidecar's requests for pages of hot items",
        ),
      cache_dir: path
        .default('/var/cache/hotitem')
        .describe('where nginx caches pages of hot items: the prefix of two folders, …-proxy and …-fastcgi'),
    })
    .prefault({}),

  spill: z
    .strictObject({
      dir: path
        .default('spill')
        .describe('folder of the spill files, which nginx writes while the sidecar is unavailable'),
      max_bytes: bytes
        .default(1024 * MIB)
        .describe('limit of the spill folder; when it is full, nginx drops the views that it cannot send'),
    })
    .prefault({}),

  event: z
    .strictObject({
      omit: z
        .array(z.enum(OMITTABLE))
        .default([])
        .describe(`fields to leave out of every event: any of ${OMITTABLE.join(', ')}`),
    })
    .prefault({}),

  privacy: z
    .strictObject({
      ip: z
        .enum(IP_MODES)
        .default('full')
        .describe(
          'how addresses are stored: full, truncate (/24 or /48), hash (differs each UTC day) or drop (visitors are then not counted)',
        ),
      ip_salt: z
        .string()
        .min(16)
        .optional()
        .describe(
          'key for hashes of addresses and visitor keys, at least 16 characters, the same on every node (secret)',
        ),
    })
    .refine(({ ip, ip_salt }) => ip !== 'hash' || ip_salt !== undefined, {
      path: ['ip_salt'],
      message: 'must be set if privacy.ip is hash, to the same on every node',
    })
    .prefault({}),

  heat: z
    .strictObject({
      enabled: yesOrNo.default(true).describe('false turns off the detection of hot items'),
      dir: path
        .optional()
        .describe('folder of the hot list, which nginx reads; default: `hot` beside intake.socket'),
      rules: path
        .optional()
        .describe('YAML file of rules for hot items (optional), reloaded when it changes'),
      cap: count.max(10_000).default(100).describe('maximum number of hot items per signal, without pins'),
    })
    .prefault({}),

  catalogue: z
    .strictObject({
      file: path
        .optional()
        .describe(
          'CSV or NDJSON file with names and categories of items (optional), reloaded when it changes',
        ),
      columns: z
        .strictObject({
          id: heading.default('id').describe('heading of the column with the id of an item'),
          name: heading.default('name').describe('heading of the column with the name'),
          category: heading.default('category').describe('heading of the column with the category'),
          price: heading.default('price').describe('heading of the column with the price'),
          stock: heading.default('stock').describe('heading of the column with the stock'),
          image: heading.default('image').describe('heading of the column with the https URL of an image'),
        })
        .prefault({}),
      image_hosts: z
        .array(hostName)
        .max(16)
        .default([])
        .describe('hosts whose images may be shown; default: no images'),
      memory_mb: count
        .min(2)
        .max(4095)
        .default(256)
        .describe('memory limit of the items; twice that while a new file is loaded'),
    })
    .prefault({}),

  protect: z
    .strictObject({
      hosts: z
        .array(hostName)
        .max(8)
        .default([])
        .describe('hosts whose pages of hot items are cached, as in the Host header; default: no caching'),
      https: yesOrNo
        .default(false)
        .describe('true if nginx.keeper listens with ssl, because the pages are https'),
      headers: z
        .array(requestHeader)
        .max(16)
        .default([])
        .describe(
          "headers that a load balancer adds to shoppers' requests, such as `X-Forwarded-Proto: https`; the sidecar sends them to nginx, too",
        ),
      refresh_ms: z
        .int()
        .min(100)
        .max(60_000)
        .default(1_000)
        .describe('how often the cached page of a hot item is refreshed'),
      stale_seconds: seconds
        .max(3600)
        .default(10)
        .describe('how old the cached page of a hot item may get when it cannot be refreshed'),
      max_requests_per_second: count
        .max(1_000)
        .default(50)
        .describe('requests for pages of hot items, for all items together'),
      limit_per_minute: count
        .max(60_000)
        .default(60)
        .describe('requests that one visitor may make to a hot item, where limit.conf is included'),
      limit_dry_run: yesOrNo
        .default(true)
        .describe('false rejects requests above the limit, true only counts and logs them'),
    })
    .prefault({}),

  webhooks: z
    .array(webhook)
    .max(8)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, {
      message: 'must have different names',
    })
    .default([])
    .describe('who is told what turns hot, by HTTP; only in the file'),

  admin: z
    .strictObject({
      listen: listenAddress.default(DEFAULT_ADMIN).describe('page, metrics and health of the sidecar'),
      sink_listen: listenAddress.default('127.0.0.1:9181').describe('metrics and health of `hotitem sink`'),
      allowed_hosts: z
        .array(hostName)
        .default([])
        .describe('additional Host headers that are accepted, for a reverse proxy'),
      control_token_file: path
        .optional()
        .describe(
          'file with the token for pin, ban, purge and freeze over admin.listen; without it, admin.listen is read-only',
        ),
    })
    .refine(({ listen, control_token_file }) => control_token_file === undefined || isLoopback(listen), {
      path: ['control_token_file'],
      message:
        'works only while admin.listen is a loopback address: a token must not cross a network without TLS',
    })
    .prefault({}),

  kafka: z
    .strictObject({
      brokers: z
        .array(address)
        .default([])
        .describe('bootstrap brokers; without them, Kafka is not used. Also KAFKA_BROKERS'),
      client: z
        .enum(['kafkajs', 'platformatic'])
        .default('kafkajs')
        .describe('Kafka client library: kafkajs, or platformatic, which is faster and younger'),
      tls: yesOrNo.default(false).describe('true to use TLS'),
      ca_file: path
        .optional()
        .describe(
          "PEM file of the CA that signed the brokers' certificates; default: the CAs that Node trusts",
        ),
      sasl: z
        .strictObject({
          mechanism: z
            .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
            .optional()
            .describe('login mechanism: plain (only over TLS), scram-sha-256 or scram-sha-512'),
          username: words.optional().describe('login'),
          password: z.string().min(1).optional().describe('password (secret)'),
        })
        .refine(({ mechanism, username }) => (mechanism === undefined) === (username === undefined), {
          path: ['username'],
          message: 'mechanism, username and password must be set together',
        })
        .refine(({ username, password }) => (username === undefined) === (password === undefined), {
          path: ['password'],
          message: 'mechanism, username and password must be set together',
        })
        .prefault({}),
      compression: z
        .enum(['gzip', 'none'])
        .default('gzip')
        .describe('compression of requests: gzip (an eighth of the bytes) or none'),
      headers: z
        .enum(['event', 'row'])
        .default('event')
        .describe(
          'which records have the headers node, boot and seq: each event, or only the first of a row of records (cheaper)',
        ),
      batch_events: count.max(10_000).default(1000).describe('maximum events per request to Kafka'),
      batch_bytes: bytesAtOnce
        .default(512 * 1024)
        .describe('maximum bytes of events per request, below max.message.bytes of the topic'),
      requests: count.max(16).default(2).describe('concurrent requests to Kafka'),
      linger_ms: z
        .number()
        .int()
        .min(0)
        .max(1000)
        .default(20)
        .describe('how long a request collects events before it is sent'),
      topic: topic.default(DEFAULT_TOPIC).describe('topic of the events'),
      dead_letter_topic: topic
        .default('collection_hot_item.dead')
        .describe('topic of the dead letters: events that Kafka or the index rejects permanently'),
      decision_topic: topic
        .optional()
        .describe(
          'topic of the decisions about hot items; default: hot_item.decisions for the topic collection_hot_item, TOPIC.decisions for any other',
        ),
      group: group
        .optional()
        .describe(
          'consumer group of the sinks; default: hotitem-sink for the topic collection_hot_item, hotitem-sink-TOPIC for any other',
        ),
      partitions: count.max(10_000).default(6).describe('partitions of a new topic'),
      replication_factor: count.max(32_767).default(1).describe('replicas of a new topic; 3 in production'),
      retention_hours: count
        .max(MOST_DAYS * DAY)
        .default(7 * DAY)
        .describe('retention of a new topic; if set, also of an existing topic'),
      decision_retention_hours: count
        .max(MOST_DAYS * DAY)
        .default(30 * DAY)
        .describe(
          'how long a new topic of decisions keeps the last decision about an item; if set, also an existing topic',
        ),
    })
    .refine(({ tls, ca_file }) => tls || ca_file === undefined, {
      path: ['ca_file'],
      message: 'has no effect without kafka.tls',
    })
    .refine(({ topic, dead_letter_topic }) => metricName(topic) !== metricName(dead_letter_topic), {
      path: ['dead_letter_topic'],
      message: 'must differ from kafka.topic; Kafka treats . and _ in names as equal',
    })
    .refine(
      ({ topic, dead_letter_topic, decision_topic = decisionTopicOf(topic) }) =>
        ![topic, dead_letter_topic].map(metricName).includes(metricName(decision_topic)),
      {
        path: ['decision_topic'],
        message:
          'must differ from kafka.topic and kafka.dead_letter_topic; Kafka treats . and _ in names as equal',
      },
    )
    .prefault({}),

  elasticsearch: z
    .strictObject({
      node: url
        .optional()
        .describe('URL of Elasticsearch; without it, DuckDB is used. Also ELASTICSEARCH_NODE'),
      api_key: headerText.optional().describe('encoded API key (secret)'),
      username: words
        .refine((name) => !name.includes(':'), { message: 'must not contain a colon' })
        .optional()
        .describe('login, if there is no API key'),
      password: z.string().min(1).optional().describe('password (secret)'),
      ca_file: path.optional().describe("PEM file of the CA that signed Elasticsearch's certificate"),
      data_stream: dataStream.default('hot_item').describe('data stream of the events'),
      template_priority: z
        .number()
        .int()
        .min(0)
        .max(2 ** 31 - 1)
        .default(500)
        .describe('priority of the index template; of two matching templates, the higher priority applies'),
      retention_days: count.max(MOST_DAYS).default(30).describe('how long the data stream keeps events'),
      refresh_seconds: seconds
        .default(1)
        .describe('seconds until a search finds a new document; a larger value is cheaper'),
      shards: count.max(1024).default(1).describe('primary shards of a backing index'),
      replicas: z
        .number()
        .int()
        .min(0)
        .max(1023)
        .default(0)
        .describe('replicas of each shard; 1 or more in production'),
    })
    .refine(({ api_key, username }) => api_key === undefined || username === undefined, {
      path: ['api_key'],
      message: 'must not be set together with a username',
    })
    .refine(({ username, password }) => (username === undefined) === (password === undefined), {
      path: ['password'],
      message: 'username and password must be set together',
    })
    .refine(({ node, ca_file }) => ca_file === undefined || node === undefined || node.startsWith('https:'), {
      path: ['ca_file'],
      message: 'has no effect without https in elasticsearch.node',
    })
    .prefault({}),

  duckdb: z
    .strictObject({
      path: path.default('duckdb/hotitem.duckdb').describe('file of the embedded index'),
      // With 8 MB DuckDB does not work at all.
      memory_mb: count.min(16).default(256).describe('memory limit of the embedded index'),
      retention_days: count.max(MOST_DAYS).default(30).describe('how long the embedded index keeps events'),
    })
    .prefault({}),

  sink: z
    .strictObject({
      batch_events: count
        .max(10_000)
        .default(5000)
        .describe('events per bulk request; shrinks automatically while the index is overloaded'),
      concurrency: count.max(64).default(3).describe('Kafka partitions processed at once'),
      requests: count.max(16).default(3).describe('concurrent bulk requests, for all partitions together'),
      article_time_zone: z
        .string()
        .refine((zone) => isTimeZone(zone), { message: 'must be the name of a time zone like Europe/Berlin' })
        .default('UTC')
        .describe(
          "time zone of `actime` in messages of the article's format; used only if Kafka's record has no time",
        ),
    })
    .prefault({}),

  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error'])
        .default('info')
        .describe('lowest level that is logged'),
    })
    .prefault({}),
});

export type Settings = z.output<typeof settings>;

/** Of a topic of events, where none is configured: two environments on one cluster need a topic each. */
export function decisionTopicOf(topicName: string): string {
  return topicName === DEFAULT_TOPIC ? 'hot_item.decisions' : `${topicName}.decisions`;
}

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
