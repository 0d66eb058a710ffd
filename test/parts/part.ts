/** What a test can do with every running part. */
export type Part = {
  /** For the closing table: `Kafka 4.1.1, local process`. */
  describe: string;
  /** Whether it may be stopped, killed and paused: not if it is from an address in the environment. */
  controllable: boolean;
  /** Starts it again after `stop` or `kill`, on the same ports, with the same data. Resolves when it answers. */
  start(): Promise<void>;
  /** Stops it gracefully. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Its connections stay open, and nothing answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Stops it and deletes its data. */
  close(): Promise<void>;
  /** The last lines of its log, for a test that fails. */
  log(): string;
};
