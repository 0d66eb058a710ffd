import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { SpoolError } from './error.ts';
import { scan } from './scanner.ts';
import { listSegments, type Segment, segmentName } from './segments.ts';

export type ReadSpoolOptions = {
  dir: string;
  /** Select events received at `from` or later, ms since 1970. */
  from: number;
  /** The segments to read. Default: those that exist when it is called. */
  segments?: Segment[];
  /** Called for each of them that was removed before its turn came. */
  onRemoved?: ((segment: Segment) => void) | undefined;
  /** Called for bytes between records that are not a record; their events are missing from the result. */
  onDamage?: ((damage: { segment: number; offset: number; bytes: number }) => void) | undefined;
};

/** Events that were written at once. */
export type Spooled = {
  /** Sequence of the first; the others follow. A missing sequence was removed or damaged. */
  first: number;
  /** When they were received, ms since 1970. */
  received: number;
  /** One event each: JSON in UTF-8. */
  values: Buffer[];
  /** The same, with a newline behind each. */
  lines: Buffer;
};

const NEWLINE = 0x0a;
/** The kernel's timestamps are some milliseconds early, and a clock may be set back: segments this close to a bound are read. */
const CLOCK_STEP_MS = 10 * 60_000;

/**
 * Reads the events in the spool `dir` by time of receipt, in order, including retained ones. Any process may call it, also while the
 * sidecar appends and removes: it takes no lock and changes nothing. It skips a segment that is removed meanwhile. Throws a `SpoolError` if
 * there is no spool, or one of a newer version.
 */
export async function* readSpool(options: ReadSpoolOptions): AsyncGenerator<Spooled> {
  const { dir, from, onRemoved, onDamage } = options;
  for (const one of options.segments ?? (await segmentsOf(dir))) {
    const { first: segment, written } = one;
    if (isBefore(written, from)) continue;
    const file = await openIfThere(join(dir, segmentName(segment)));
    if (file === undefined) {
      onRemoved?.(one);
      continue;
    }
    const { size } = await file.stat();
    try {
      for await (const found of scan(file, size)) {
        if (found.kind === 'record') {
          const { sequence: first, received, payload } = found.record;
          if (received >= from) yield toSpooled(first, received, payload);
        } else {
          const left = (await file.stat()).size;
          // The segment became shorter: a failed write was rolled back.
          if (left < size && found.end >= left) break;
          // A record that is being written is not damage.
          if (!(found.short && found.end === size))
            onDamage?.({ segment, offset: found.offset, bytes: found.end - found.offset });
        }
      }
    } finally {
      await file.close();
    }
  }
}

/** The bytes of `segments` that `readSpool` reads. */
export function bytesSince(segments: Segment[], from: number): number {
  return segments.reduce((sum, { written, bytes }) => sum + (isBefore(written, from) ? 0 : bytes), 0);
}

function isBefore(written: number, from: number): boolean {
  return written + CLOCK_STEP_MS < from;
}

/** The segments in `dir`, oldest first. */
export function segmentsOf(dir: string): Promise<Segment[]> {
  return listSegments(dir).catch((cause: unknown) => {
    throw new SpoolError('SPOOL_OPEN', `cannot read the spool ${dir}`, cause);
  });
}

function openIfThere(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** Most readers want one of both. */
function toSpooled(first: number, received: number, lines: Buffer): Spooled {
  return {
    first,
    received,
    lines,
    get values() {
      return split(lines);
    },
  };
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
