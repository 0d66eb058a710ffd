import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Check } from '../service/admin/admin.ts';
import type { Config } from '../service/config/config.ts';
import { keepTrying } from '../service/keep-trying.ts';
import { reasonOf } from '../service/log.ts';
import { makeFolder } from '../service/make-folder.ts';
import { createMetrics } from '../service/metrics.ts';
import type { DuckdbIndex } from '../store/duckdb/duckdb.ts';
import { DUCKDB_METRICS } from '../store/duckdb/metrics.ts';
import type { ElasticsearchConnection } from '../store/elasticsearch/elasticsearch.ts';
import type { DecisionIndex, EventIndex } from '../store/event-index.ts';
import { closeSpans } from './close-spans.ts';
import type { Core } from './core.ts';
import { joinCatalogue } from './join-catalogue.ts';

const REQUEST_TIMEOUT_MS = 30_000;
const RETENTION_EVERY_MS = 3_600_000;

/**
 * The configured index: Elasticsearch if it has an address, otherwise DuckDB. It is closed at shutdown. Does not wait until it is
 * available: views are ingested meanwhile.
 */
export async function openIndex(core: Core): Promise<EventIndex | DuckdbIndex> {
  const { config, parts, shutdown } = core;
  const index = await (parts.index === 'duckdb' ? openEmbedded(core) : connectElasticsearch(config));
  shutdown.add('index', () => index.close());
  return config.catalogue.file === undefined ? index : joinCatalogue(index, core.catalogue());
}

/** Where decisions are beside the events of `index`. Closed with everything else. */
export async function openDecisionIndex(
  { config, shutdown }: Core,
  index: EventIndex | DuckdbIndex,
): Promise<DecisionIndex> {
  if ('decisions' in index) return index.decisions;
  const decisions = await connectDecisions(config);
  shutdown.add('index of decisions', () => decisions.close());
  return decisions;
}

/** The decisions in the configured Elasticsearch. */
export async function connectDecisions(config: Config): Promise<DecisionIndex> {
  const { createElasticsearchDecisions } = await import('../store/elasticsearch/decisions.ts');
  const { decision_data_stream: dataStream } = config.elasticsearch;
  return createElasticsearchDecisions({ ...elasticsearchConnection(config), dataStream });
}

/** How to reach the configured Elasticsearch. */
export function elasticsearchConnection({ elasticsearch }: Config): ElasticsearchConnection {
  const { node = '', api_key, username, password, ca_file } = elasticsearch;
  return {
    node,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    ...(api_key !== undefined && { auth: { apiKey: api_key } }),
    ...(username !== undefined && password !== undefined && { auth: { username, password } }),
    ...(ca_file !== undefined && { ca: readFileSync(ca_file, 'utf8') }),
  };
}

/** The configured Elasticsearch. */
export async function connectElasticsearch(config: Config): Promise<EventIndex> {
  const { createElasticsearchIndex } = await import('../store/elasticsearch/elasticsearch.ts');
  return createElasticsearchIndex({
    ...elasticsearchConnection(config),
    dataStream: config.elasticsearch.data_stream,
    decisionDataStream: config.elasticsearch.decision_data_stream,
  });
}

/** The readiness of the index. Elasticsearch has none of its own: it is only asked when there are events for it. */
export function indexChecks(index: EventIndex | undefined): Check[] {
  if (index?.failure === undefined) return [];
  return [{ name: 'index', ready: () => index.failure?.() ?? true }];
}

async function openEmbedded({ config, log, now, registry, shutdown, warn }: Core): Promise<DuckdbIndex> {
  const { path, memory_mb, retention_days } = config.duckdb;
  const { createDuckdbIndex } = await import('../store/duckdb/duckdb.ts');
  const index = createDuckdbIndex({
    path,
    memoryLimitMb: memory_mb,
    retentionDays: retention_days,
    now,
  });
  const metrics = createMetrics(registry, DUCKDB_METRICS);
  const notRetained = failureOf('retain', 'old events could not be removed');
  const notClosed = failureOf(
    'close',
    'a span of time could not be prepared: questions over weeks take longer',
  );
  const stopping = new AbortController();
  const opening = keepTrying(open, {
    signal: stopping.signal,
    onFailure: (error) =>
      warn('duckdb', 'the index is unavailable; events wait', { reason: index.failure() ?? reasonOf(error) }),
  }).catch(() => {});
  void opening.then(() => closeSpans(index, stopping.signal, notClosed));
  shutdown.add('opening the index', async () => {
    stopping.abort();
    await opening;
  });
  const timer = setInterval(retain, RETENTION_EVERY_MS);
  shutdown.add('retention', async () => clearInterval(timer));
  return index;

  async function open(): Promise<void> {
    // It contains addresses of visitors.
    makeFolder(dirname(path), 0o750);
    await index.open();
  }

  function retain(): void {
    index
      .retain()
      .then((rows) => rows > 0 && log.info({ rows }, 'removed events older than duckdb.retention_days'))
      .catch(notRetained);
  }

  function failureOf(work: 'close' | 'retain', message: string): (error: unknown) => void {
    const failures = metrics.of('duckdb_failures_total', { work });
    return (error) => {
      failures.add();
      warn(`duckdb ${work}`, message, { reason: reasonOf(error) });
    };
  }
}
