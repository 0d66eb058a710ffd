import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Faults } from './faults.ts';
import type { Quarantine } from './quarantine.ts';
import { type Damage, type Found, scan } from './scanner.ts';
import { listSegments, type Segment, segmentName } from './segments.ts';

export type RecoveryOptions = { dir: string; faults: Faults; quarantine: Quarantine };

type OpenSegment = { file: FileHandle; segment: Segment };

export type Recovered = { found: Segment[]; nextSequence: number };

/**
 * Finds the end of the spool. Reads only the last segment: earlier ones are no longer written, and readers find damage in them. Removes
 * everything after the last intact record.
 */
export async function recoverSegments({ dir, faults, quarantine }: RecoveryOptions): Promise<Recovered> {
  const found = await listSegments(dir);
  const used = found.at(-1)?.first ?? 0;
  await removeUnused(dir, found);
  const last = found.at(-1);
  if (last === undefined) return { found, nextSequence: used };
  const file = await open(join(dir, segmentName(last.first)), 'r+');
  try {
    let nextSequence = used;
    let tail: Found | undefined;
    for await (tail of scan(file, last.bytes)) {
      if (tail.kind === 'damage') continue;
      nextSequence = Math.max(nextSequence, tail.record.sequence + tail.record.count);
    }
    if (tail?.kind === 'damage') await cut(tail, { file, segment: last });
    return { found, nextSequence };
  } finally {
    await file.close();
  }

  async function cut({ offset, end, short }: Damage, { file: of, segment }: OpenSegment): Promise<void> {
    const place = { segment: segment.first, offset };
    if (short) faults.report({ kind: 'torn', ...place, bytes: end - offset });
    else {
      const kept = await quarantine({ file: of, ...place, end });
      faults.report({ kind: 'corrupt', ...place, bytes: end - offset, kept });
    }
    await of.truncate(offset);
    segment.bytes = offset;
  }
}

/** Empty segments at the end. The one before may have grown since, if creating the segment failed. */
async function removeUnused(dir: string, found: Segment[]): Promise<void> {
  while (found.length > 1 && found.at(-1)?.bytes === 0) {
    const unused = found.pop();
    if (unused !== undefined) await unlink(join(dir, segmentName(unused.first)));
  }
}
