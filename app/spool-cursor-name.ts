import type { Config } from '../service/config/config.ts';

/** The consumer of the spool is named after where it leads: another configuration begins with what is still there. */
export function cursorOf({ kafka, elasticsearch }: Config): string {
  if (kafka.brokers.length > 0) return 'kafka';
  return elasticsearch.node === undefined ? 'duckdb' : 'elasticsearch';
}
