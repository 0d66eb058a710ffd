import type { IndexState } from './ask-index.ts';
import type { KafkaState } from './ask-kafka.ts';
import type { Service } from './ask-service.ts';

/** The part of the configuration that commands refer to. */
export type Places = {
  /** The folder of nginx's includes. */
  includes: string;
  /** Undefined for DuckDB. */
  node: string | undefined;
  /** The CA file for Elasticsearch, if it is not one that Node trusts. */
  caFile: string | undefined;
  dataStream: string;
};

/** The input of `hotitem status`. */
export type StatusFacts = {
  sidecar: Service;
  /** The sink of this host; undefined if the sidecar indexes by itself. */
  sink: Service | undefined;
  kafka: KafkaState | undefined;
  /** Undefined for DuckDB. */
  index: IndexState | undefined;
  /** For the commands of findings. */
  places: Places;
  /** The installed version of hotitem. */
  installed: string;
  /** ms since 1970. */
  now: number;
  /** Earlier losses are ignored, ms since 1970. */
  lossesFrom: number;
};
