/** All error codes of the spool, each with a hint. */
const HINTS = {
  /** `maxBytes` are on disk, or too many bytes wait to be written. */
  SPOOL_FULL: {
    retriable: true,
    hint: 'check whether the consumers make progress; spool.max_bytes is the limit',
  },
  /** The operating system rejected a write or an fsync; none of the events is stored. */
  SPOOL_WRITE: { retriable: true, hint: 'check free space and health of the disk of spool.dir' },
  /** An event that is too large for a record, or that contains a newline. */
  SPOOL_EVENT: { retriable: false, hint: undefined },
  /** Another process holds the folder. */
  SPOOL_LOCKED: { retriable: true, hint: 'stop it first, or set a separate spool.dir for each sidecar' },
  /** The folder was written by a newer version. */
  SPOOL_VERSION: { retriable: false, hint: 'run the version that wrote it until the spool is empty' },
  /** The folder cannot be opened, or is not a spool. */
  SPOOL_OPEN: { retriable: false, hint: 'check spool.dir and its owner' },
  /** No such consumer, or one that already runs. */
  SPOOL_CONSUMER: { retriable: false, hint: undefined },
  /** Used after `close`. */
  SPOOL_CLOSED: { retriable: false, hint: undefined },
} as const;

export type SpoolErrorCode = keyof typeof HINTS;

/** The only error that the spool throws. `cause` is the error of the operating system. */
export class SpoolError extends Error {
  override name = 'SpoolError';
  readonly code: SpoolErrorCode;
  /** Whether the same call may succeed later. */
  readonly retriable: boolean;
  /** What an operator can do. */
  readonly hint: string | undefined;

  constructor(code: SpoolErrorCode, message: string, cause?: unknown) {
    const { retriable, hint } = HINTS[code];
    super(hint === undefined ? message : `${message}; ${hint}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.retriable = retriable;
    this.hint = hint;
  }
}
