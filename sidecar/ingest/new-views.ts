import type { Line } from '../../event/line.ts';

/** Is shown each new view once: before redaction, sampling and load shedding. */
export type NewViews = {
  /** For the lines of one call. Ended by `count` or `drop`. */
  begin(lines: Buffer): ViewBatch;
};

/** The views of one call, which count only when it is certain that they will not come again. */
export type ViewBatch = {
  /** The line that was read last. Called for each, so nothing is allocated here. */
  add(line: Line): void;
  /** Forgets what was added: the lines are sorted a second time. */
  clear(): void;
  /** They are written, and what comes again of them is a duplicate. */
  count(): void;
  /** They are not written, and may come again. */
  drop(): void;
};

const NO_BATCH: ViewBatch = { add() {}, clear() {}, count() {}, drop() {} };

/** For a sidecar without heat detection. */
export const NO_VIEWS: NewViews = { begin: () => NO_BATCH };
