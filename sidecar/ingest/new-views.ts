import type { Line } from '../../event/line.ts';

/** Receives each new view once: before redaction, sampling and load shedding. */
export type NewViews = {
  /** Starts a batch for the lines of one call. It must be ended by `count` or `drop`. */
  begin(lines: Buffer): ViewBatch;
};

/** The views of one call. They count only when it is certain that they will not be resent. */
export type ViewBatch = {
  /** Adds the line that was read last. Called for each line, so it must not allocate. */
  add(line: Line): void;
  /** Removes all added lines: they are filtered a second time. */
  clear(): void;
  /** The lines are stored; if they are resent, they are duplicates. */
  count(): void;
  /** The lines are not stored, and may be resent. */
  drop(): void;
};

const NO_BATCH: ViewBatch = { add() {}, clear() {}, count() {}, drop() {} };

/** For a sidecar without heat detection. */
export const NO_VIEWS: NewViews = { begin: () => NO_BATCH };
