import type { IndexState } from './ask-index.ts';
import type { KafkaState } from './ask-kafka.ts';
import type { Service } from './ask-service.ts';

/** What the configuration calls what a command is about. */
export type Places = {
  /** The folder of nginx's includes. */
  includes: string;
  /** Undefined for DuckDB. */
  node: string | undefined;
  /** Of its authority, where Node does not know it. */
  caFile: string | undefined;
  dataStream: string;
};

/** All that `hotitem status` looks at. */
export type StatusFacts = {
  sidecar: Service;
  /** Of this host; undefined where the sidecar indexes by itself. */
  sink: Service | undefined;
  kafka: KafkaState | undefined;
  /** Undefined for DuckDB. */
  index: IndexState | undefined;
  /** For the commands of findings. */
  places: Places;
  /** Which hotitem is installed here. */
  installed: string;
  /** ms since 1970. */
  now: number;
  /** Losses before this are history, ms since 1970. */
  lossesFrom: number;
};
