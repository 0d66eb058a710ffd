import type { IndexState } from './ask-index.ts';
import type { KafkaState } from './ask-kafka.ts';
import type { Service } from './ask-service.ts';

/** All that `hotitem status` looks at. */
export type StatusFacts = {
  sidecar: Service;
  /** Of this host; undefined where the sidecar indexes by itself. */
  sink: Service | undefined;
  kafka: KafkaState | undefined;
  /** Undefined for DuckDB. */
  index: IndexState | undefined;
  /** Which hotitem is installed here. */
  installed: string;
  /** ms since 1970. */
  now: number;
  /** Losses before this are history, ms since 1970. */
  lossesFrom: number;
};
