import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { SpoolError } from './error.ts';
import { scan } from './scanner.ts';
import { listSegments, segmentName } from './segments.ts';

export type ReadSpoolOptions = {
  dir: string;
  /** The events received at `from` or later, ms since 1970. */
  from: number;
  /** Bytes between records that are none; their events are missing from what is read. */
  onDamage?: ((damage: { segment: number; offset: number; bytes: number }) => void) | undefined;
};

/** Events that were written in one go. */
export type Spooled = {
  /** Sequence of the first; those of the others follow. A sequence that is missing was removed or damaged. */
  first: number;
  /** When they were received, ms since 1970. */
  received: number;
  /** One event each: JSON in UTF-8. */
  values: Buffer[];
};

const NEWLINE = 0x0a;
/** The kernel stamps a file some milliseconds early, and a clock may be set back: a segment so near to a bound is read. */
const CLOCK_STEP_MS = 10 * 60_000;

/**
 * The events in the spool `dir` by the time of their receipt, in order: those that wait and those that are retained. For
 * any process; takes no lock and changes nothing, while the sidecar appends and removes. It reads what is there when it is
 * called; a segment that is removed meanwhile is passed over. Throws a `SpoolError` where there is no spool, or a newer one.
 */
export async function* readSpool({ dir, from, onDamage }: ReadSpoolOptions): AsyncGenerator<Spooled> {
  const segments = await listSegments(dir).catch((cause: unknown) => {
    throw new SpoolError('SPOOL_OPEN', `cannot read the spool ${dir}`, cause);
  });
  for (const { first: segment, written } of segments) {
    if (written + CLOCK_STEP_MS < from) continue;
    const file = await openIfThere(join(dir, segmentName(segment)));
    if (file === undefined) continue;
    const { size } = await file.stat();
    try {
      for await (const found of scan(file, size)) {
        if (found.kind === 'record') {
          const { sequence: first, received, payload } = found.record;
          if (received >= from) yield { first, received, values: split(payload) };
        } else {
          const left = (await file.stat()).size;
          // Shorter than it was: a write that failed was taken back.
          if (left < size && found.end >= left) break;
          // A record that is just being written is not damage.
          if (!(found.short && found.end === size))
            onDamage?.({ segment, offset: found.offset, bytes: found.end - found.offset });
        }
      }
    } finally {
      await file.close();
    }
  }
}

function openIfThere(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

function split(payload: Buffer): Buffer[] {
  const values: Buffer[] = [];
  let from = 0;
  for (let end = payload.indexOf(NEWLINE); end !== -1; end = payload.indexOf(NEWLINE, from)) {
    values.push(payload.subarray(from, end));
    from = end + 1;
  }
  return values;
}
