import { reasonOf } from '../../service/log.ts';
import { type Cursor, openCursor, type Position } from './cursor.ts';
import type { Faults } from './faults.ts';
import { createProgress } from './progress.ts';

/** Stores the end of the acknowledged events, separately from the segments: this reveals a truncated segment. */
export type SpoolEnd = {
  /** The stored value; undefined if there is none that can be read. */
  readonly sequence: number | undefined;
  advance(to: Position): void;
  close(options: { fsync: boolean }): Promise<void>;
};

/** Opens the end in `path`, or creates it at `start`. If that fails (full disk), the spool works without it. */
export async function openEnd(path: string, start: Position, faults: Faults): Promise<SpoolEnd> {
  const failed = (reason: string) => faults.report({ kind: 'cursor', consumer: 'end', reason });
  const cursor = await openCursor(path, start, () =>
    failed('damaged: continues where the segments end'),
  ).catch((error: unknown) => failed(reasonOf(error)));
  return cursor === undefined ? NONE : toEnd(cursor, (error) => failed(reasonOf(error)));
}

const NONE: SpoolEnd = { sequence: undefined, advance() {}, async close() {} };

function toEnd(cursor: Cursor, onFailure: (error: unknown) => void): SpoolEnd {
  const progress = createProgress({ cursor, onStored: async () => {}, onFailure });
  return {
    get sequence() {
      return cursor.position.sequence;
    },
    advance: progress.advance,
    async close(options) {
      await progress.flush();
      await cursor.close(options);
    },
  };
}
