/** Everything that the spool can refuse, with what to do about it. */
const HINTS = {
  /** `maxBytes` are on disk, or too much waits to be written. */
  SPOOL_FULL: {
    retriable: true,
    hint: 'check whether the consumers make progress; spool.max_bytes is the limit',
  },
  /** The operating system refused a write or an fsync; none of the events counts as kept. */
  SPOOL_WRITE: { retriable: true, hint: 'check free space and health of the disk of spool.dir' },
  /** An event that no record could hold, or one with a newline in it. */
  SPOOL_EVENT: { retriable: false, hint: undefined },
  /** Another process holds the folder. */
  SPOOL_LOCKED: { retriable: true, hint: 'stop it first, or set a separate spool.dir for each sidecar' },
  /** The folder was written by a newer version. */
  SPOOL_VERSION: { retriable: false, hint: 'run the version that wrote it until the spool is empty' },
  /** The folder cannot be opened, or is not a spool. */
  SPOOL_OPEN: { retriable: false, hint: 'check spool.dir and its owner' },
  /** No such consumer, or one that reads already. */
  SPOOL_CONSUMER: { retriable: false, hint: undefined },
  /** Used after `close`. */
  SPOOL_CLOSED: { retriable: false, hint: undefined },
} as const;

export type SpoolErrorCode = keyof typeof HINTS;

/** The only error that the spool throws. Its `cause` is the error of the operating system. */
export class SpoolError extends Error {
  override name = 'SpoolError';
  readonly code: SpoolErrorCode;
  /** Whether the same call may succeed later. */
  readonly retriable: boolean;
  /** The way out, for people. */
  readonly hint: string | undefined;

  constructor(code: SpoolErrorCode, message: string, cause?: unknown) {
    const { retriable, hint } = HINTS[code];
    super(hint === undefined ? message : `${message}; ${hint}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.retriable = retriable;
    this.hint = hint;
  }
}
