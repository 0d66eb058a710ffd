import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../../service/log.ts';
import type { Consumer, Handler } from '../event-log.ts';
import { startConsumer } from './consumer.ts';
import { type Cursor, openCursor, type Position } from './cursor.ts';
import { SpoolError } from './error.ts';
import type { Faults } from './faults.ts';
import { createProgress, type Progress } from './progress.ts';
import type { Quarantine } from './quarantine.ts';
import { createReader, type Limits } from './reader.ts';
import type { Segments } from './segments.ts';

export type Cursors = Map<string, Cursor>;

export type CursorsOptions = {
  dir: string;
  names: string[];
  /** Sequence of the oldest existing event: a new consumer begins there. */
  oldest: number;
  /** Sequence after the last event. */
  end: number;
  faults: Faults;
};

export type ConsumersOptions = Limits & {
  cursors: Cursors;
  segments: Segments;
  faults: Faults;
  quarantine: Quarantine;
  /** The stored cursors have advanced: segments before them may be removed. */
  onPassed: () => Promise<void>;
  lingerMs: number;
};

export type Consumers = {
  start(name: string, handle: Handler): Consumer;
  positions(): [name: string, position: Position][];
  /** Stops all consumers, and stores their cursors. */
  close(options: { fsync: boolean }): Promise<void>;
};

const NAME = /^\w[\w.-]{0,99}$/;
/** Suffix of a cursor whose consumer is not configured: it does not hold back the removal of events. */
const RELEASED = '.released';

/** The cursors in `dir` for `names`; missing ones are created. */
export async function openCursors({ dir, names, oldest, end, faults }: CursorsOptions): Promise<Cursors> {
  const cursors: Cursors = new Map();
  const start = { sequence: oldest, segment: oldest, offset: 0 };
  await releaseOthers(dir, names);
  for (const name of names) {
    if (!NAME.test(name)) throw new SpoolError('SPOOL_CONSUMER', `not a valid consumer name: ${name}`);
    const onDamage = () =>
      faults.report({ kind: 'cursor', consumer: name, reason: 'damaged: continues at the oldest event' });
    const wasReleased = await rename(join(dir, `${name}${RELEASED}`), join(dir, name)).then(
      () => true,
      () => false,
    );
    const cursor = await openCursor(join(dir, name), start, onDamage);
    const { sequence } = cursor.position;
    if (sequence > end) {
      const reason = `is at ${sequence}, but the events end at ${end}: numbering continues after both`;
      faults.report({ kind: 'cursor', consumer: name, reason });
    }
    // Events removed while a consumer was not configured are not a gap: nothing was damaged.
    if (wasReleased && sequence < oldest) await cursor.store(start);
    cursors.set(name, cursor);
  }
  return cursors;
}

/**
 * The first event that some consumer has not passed yet, according to the cursors on disk and not those in memory: after a crash, a cursor
 * must not point to removed events. 0 if there are no consumers.
 */
export function passedByAll(cursors: Cursors): number {
  if (cursors.size === 0) return 0;
  return Math.min(...[...cursors.values()].map(({ position }) => position.sequence));
}

async function releaseOthers(dir: string, names: string[]): Promise<void> {
  for (const file of await readdir(dir)) {
    if (names.includes(file) || file.endsWith(RELEASED)) continue;
    await rename(join(dir, file), join(dir, `${file}${RELEASED}`));
  }
}

/** The consumers of a spool. */
export function createConsumers(options: ConsumersOptions): Consumers {
  const { cursors, segments, faults, quarantine, onPassed } = options;
  const progresses = new Map<string, Progress>();
  const running = new Map<string, Consumer>();
  for (const [name, cursor] of cursors) {
    const onFailure = (error: unknown) =>
      faults.report({ kind: 'cursor', consumer: name, reason: reasonOf(error) });
    progresses.set(name, createProgress({ cursor, onStored, onFailure }));
  }
  let removing = onPassed();
  return { start, positions, close };

  function start(name: string, handle: Handler): Consumer {
    const progress = progresses.get(name);
    if (progress === undefined) throw new SpoolError('SPOOL_CONSUMER', `the spool has no consumer ${name}`);
    if (running.has(name)) throw new SpoolError('SPOOL_CONSUMER', `the consumer ${name} is already running`);
    const reader = createReader({ consumer: name, segments, from: progress.position, faults, quarantine });
    const consumer = startConsumer({
      ...options,
      reader,
      progress,
      handle,
      onReadFailure: (error) => faults.report({ kind: 'read', consumer: name, reason: reasonOf(error) }),
      onRefused: (error) => faults.report({ kind: 'refused', consumer: name, reason: reasonOf(error) }),
    });
    running.set(name, consumer);
    return {
      failure: consumer.failure,
      async close(graceMs) {
        await consumer.close(graceMs);
        if (running.get(name) === consumer) running.delete(name);
      },
    };
  }

  function positions(): [string, Position][] {
    return [...progresses].map(([name, { position }]) => [name, position]);
  }

  function onStored(): Promise<void> {
    removing = removing.then(onPassed);
    return removing;
  }

  async function close({ fsync }: { fsync: boolean }): Promise<void> {
    await Promise.all([...running.values()].map((consumer) => consumer.close(0)));
    await Promise.all([...progresses.values()].map((progress) => progress.flush()));
    await removing;
    await Promise.all([...cursors.values()].map((cursor) => cursor.close({ fsync })));
  }
}
