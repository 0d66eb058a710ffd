/** What every running part lets a test do to it. */
export type Part = {
  /** For the closing table: `Kafka 4.1.1, local process`. */
  describe: string;
  /** Whether it may be stopped, killed and paused: not what an address in the environment names. */
  controllable: boolean;
  /** After `stop` or `kill`: on the same ports, with the same data. Resolves when it answers. */
  start(): Promise<void>;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Its connections stay open, and nobody answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends it and deletes its data. */
  close(): Promise<void>;
  /** The last lines of its log, for a test that fails. */
  log(): string;
};
