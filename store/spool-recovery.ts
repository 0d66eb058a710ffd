import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Faults } from './spool-faults.ts';
import type { Quarantine } from './spool-quarantine.ts';
import { createScanner, type Found } from './spool-scanner.ts';
import { listSegments, type Segment, segmentName } from './spool-segments.ts';

export type RecoveryOptions = { dir: string; faults: Faults; quarantine: Quarantine };

export type Recovered = { found: Segment[]; nextSequence: number };

/**
 * Finds where the spool ends. Reads the last segment only: the ones before were whole when it was begun, and what has
 * happened to them since is their readers' to find. Whatever follows the last intact record is removed.
 */
export async function recoverSegments({ dir, faults, quarantine }: RecoveryOptions): Promise<Recovered> {
  const found = await listSegments(dir);
  let last = found.at(-1);
  // Begun and never used: the one before may have grown since.
  while (last !== undefined && last.bytes === 0 && found.length > 1) {
    await unlink(join(dir, segmentName(last.first)));
    found.pop();
    last = found.at(-1);
  }
  if (last === undefined) return { found, nextSequence: 0 };
  const file = await open(join(dir, segmentName(last.first)), 'r+');
  try {
    const scanner = createScanner(file, 0);
    let nextSequence = last.first;
    let latest: Found | undefined;
    for (let next = await scanner.next(last.bytes); next !== undefined; next = await scanner.next(last.bytes)) {
      latest = next;
      if (next.kind === 'record') nextSequence = Math.max(nextSequence, next.record.sequence + next.record.count);
    }
    if (latest?.kind === 'damage') await cut(latest, last);
    return { found, nextSequence };
  } finally {
    await file.close();
  }

  async function cut({ offset, end, cut: torn }: Found & { kind: 'damage' }, segment: Segment): Promise<void> {
    const place = { segment: segment.first, offset };
    if (torn) faults.report({ kind: 'torn', ...place, bytes: end - offset });
    else {
      const kept = await quarantine({ file, ...place, end });
      faults.report({ kind: 'corrupt', ...place, bytes: end - offset, kept });
    }
    await file.truncate(offset);
    segment.bytes = offset;
  }
}
