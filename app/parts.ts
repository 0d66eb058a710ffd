import type { Config } from '../service/config/config.ts';

/** Which parts a configuration runs, and where events go. The only place that decides this. */
export type Parts = {
  /** Events go through Kafka to a sink. Otherwise the sidecar indexes them itself. */
  kafka: boolean;
  index: 'elasticsearch' | 'duckdb';
  /** The consumer of the spool, named after its destination: a new configuration begins with the oldest event. */
  cursor: 'kafka' | 'elasticsearch' | 'duckdb';
};

export function partsOf({ kafka, elasticsearch }: Pick<Config, 'kafka' | 'elasticsearch'>): Parts {
  const hasKafka = kafka.brokers.length > 0;
  const index = elasticsearch.node === undefined ? 'duckdb' : 'elasticsearch';
  return { kafka: hasKafka, index, cursor: hasKafka ? 'kafka' : index };
}

/** Whether setup must create anything before events can go there. */
export function needsSetup({ kafka, index }: Parts): boolean {
  return kafka || index === 'elasticsearch';
}

export type ServiceAddress = {
  name: 'sidecar' | 'sink';
  setting: 'admin.listen' | 'admin.sink_listen';
  listen: string;
};

/** Where to ask the running services: the sidecar, and with Kafka a sink. */
export function serviceAddresses(config: Config): ServiceAddress[] {
  const { listen, sink_listen } = config.admin;
  const sidecar = { name: 'sidecar', setting: 'admin.listen', listen } as const;
  const sink = { name: 'sink', setting: 'admin.sink_listen', listen: sink_listen } as const;
  return partsOf(config).kafka ? [sidecar, sink] : [sidecar];
}

/** The path of an event after the sidecar, for people. */
export function wayOf(config: Config): string[] {
  const { kafka, elasticsearch, duckdb } = config;
  const parts = partsOf(config);
  const index = parts.index === 'duckdb' ? `DuckDB ${duckdb.path}` : `Elasticsearch ${elasticsearch.node}`;
  return parts.kafka ? [`Kafka ${kafka.brokers.join(',')}`, 'sink', index] : [index];
}
