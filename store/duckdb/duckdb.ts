import { stat } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { giveWay, mapInTurns } from '../../service/give-way.ts';
import { linkSignals } from '../../service/linked-signal.ts';
import { reasonOf } from '../../service/log.ts';
import { createMutex } from '../../service/mutex.ts';
import { type DecisionIndex, type EventIndex, IndexUnavailable, type Outcome } from '../event-index.ts';
import type { Range } from '../event-questions.ts';
import { DAY_MS, rangeOf } from './closed-spans.ts';
import { toTimestamp } from './columns.ts';
import { type DuckdbFile, DuckdbFileError, type DuckdbFileOptions, openDuckdbFile } from './file.ts';
import { interruptible } from './interrupt.ts';
import {
  hotPeriods,
  itemViews,
  MOST_EXACT_VIEWS,
  newest,
  pastDecisions,
  rising,
  sources,
  timeLine,
  topCategories,
  topItems,
  totals,
} from './questions.ts';
import { appendRows, countKeys, DECISIONS, EVENTS, findKeys, keyOf, type Table } from './rows.ts';

export type DuckdbIndexOptions = {
  path: string;
  memoryLimitMb?: number;
  retentionDays?: number;
  threads?: number;
  /** Visitors of so many views are counted exactly; those of more, in a range of more than a day, are estimated. */
  mostExactViews?: number;
  now?: () => number;
};

export type DuckdbIndex = EventIndex & {
  /** The table of decisions, in the same file. */
  decisions: DecisionIndex;
  /** Deletes the events and decisions that are older than the retention. Returns how many events. */
  retain(): Promise<number>;
  /**
   * Computes what questions over weeks need of the latest span (quarter of a day, day or week) for which that is missing, in steps between
   * other questions. Resolves with that span, ms since 1970, or with undefined if none is missing. After a failure, that span is left
   * alone for ten minutes.
   */
  closeSpan(): Promise<Range | undefined>;
  /** How often each event is there, in the order of `ids`. */
  count(ids: string[]): Promise<number[]>;
  stats(): Promise<DuckdbStats>;
  failure(): string | undefined;
};

export type DuckdbStats = {
  events: number;
  /** Time of the oldest event, ms since 1970; undefined when there is none. */
  oldest: number | undefined;
  /** Size of the file, without what is still in its write-ahead log. */
  bytes: number;
};

/** A `DuckdbIndex` whose file is opened by the first `open` that succeeds, or the first change that finds it free. */
export type UnopenedDuckdbIndex = DuckdbIndex & {
  /** Does nothing where it is open. Throws a `DuckdbFileError` when the file belongs to another process or to a newer version. */
  open(): Promise<void>;
};

/** The same as `createDuckdbIndex`, opened. Throws a `DuckdbFileError`. */
export async function openDuckdbIndex(options: DuckdbIndexOptions): Promise<DuckdbIndex> {
  const index = createDuckdbIndex(options);
  await index.open();
  return index;
}

/**
 * The index in one DuckDB file of this process. An event is there exactly once: changes happen one after the other, and
 * in one transaction `create` asks which ids are there and adds the rest; a kill in between leaves all or nothing of a
 * batch. What is created survives a power cut (the write-ahead log is synced at each commit).
 */
export function createDuckdbIndex({
  path,
  memoryLimitMb = 256,
  retentionDays = 30,
  threads = 1,
  mostExactViews = MOST_EXACT_VIEWS,
  now = Date.now,
}: DuckdbIndexOptions): UnopenedDuckdbIndex {
  const settings: DuckdbFileOptions = { path, memoryLimitMb, threads, now };
  let file: DuckdbFile | undefined;
  let failure: string | undefined = 'the DuckDB file is not open yet';
  const closing = new AbortController();
  const toWrite = createMutex();
  // One question at a time as well: each keeps one of Node's few threads, which the rest of the process needs for files.
  const toRead = createMutex();
  const toBuild = createMutex();
  return {
    // They are made when it is their turn, and not while others are written.
    create: (events) => write(async (open) => create(open, EVENTS, await listOf(events))),
    decisions: {
      create: (some) => write(async (open) => create(open, DECISIONS, await listOf(some))),
      failure: () => failure,
      // With the file.
      close: async () => {},
    },
    topItems: (query, signal) => read(({ reader }) => topItems(reader, query, mostExactViews), signal),
    rising: (query, signal) => read(({ reader }) => rising(reader, query), signal),
    itemViews: (query, signal) => read(({ reader }) => itemViews(reader, query, mostExactViews), signal),
    totals: (query, signal) => read(({ reader }) => totals(reader, query, mostExactViews), signal),
    topCategories: (query, signal) =>
      read(({ reader }) => topCategories(reader, query, mostExactViews), signal),
    timeLine: (query, signal) => read(({ reader }) => timeLine(reader, query), signal),
    sources: (query, signal) => read(({ reader }) => sources(reader, query), signal),
    hotPeriods: (query, signal) => read(({ reader }) => hotPeriods(reader, query), signal),
    pastDecisions: (query, signal) => read(({ reader }) => pastDecisions(reader, query), signal),
    newest: (signal) => read(({ reader }) => newest(reader), signal),
    retain: () => write((open) => retain(open, now() - retentionDays * DAY_MS)),
    closeSpan: () => toBuild(closeSpan),
    count: (ids) => read((open) => countKeys(open.reader, ids.map(keyOf))),
    stats: () => read((open) => stats(open, path)),
    failure: () => failure,
    open: () => toWrite(openIfNeeded),
    close,
  };

  function write<Value>(work: (open: DuckdbFile) => Promise<Value>): Promise<Value> {
    return toWrite(async () => {
      await openIfNeeded().catch((cause: unknown) => {
        throw new IndexUnavailable('the DuckDB file cannot be opened', { cause });
      });
      return attempt('writer', closing.signal, work);
    });
  }

  async function openIfNeeded(): Promise<void> {
    // While both are held, nothing else uses the file.
    if (failure !== undefined && !closing.signal.aborted) await toRead(reopen);
  }

  function read<Value>(
    work: (open: DuckdbFile) => Promise<Value>,
    asker: AbortSignal = closing.signal,
  ): Promise<Value> {
    return toRead(async () => {
      const { signal, unlink } = linkSignals(closing.signal, asker);
      try {
        // All that a question asks is of one state of the file.
        return await attempt('reader', signal, async (open) => {
          await open.reader.run('BEGIN');
          return work(open);
        });
      } finally {
        unlink();
        await file?.reader.run('ROLLBACK').catch(() => undefined);
      }
    });
  }

  async function closeSpan(): Promise<Range | undefined> {
    const from = now() - retentionDays * DAY_MS;
    const { open, mayCommit } = await toWrite(() =>
      attempt('writer', closing.signal, async (open) => ({ open, mayCommit: open.closed.watch() })),
    );
    const span = await read(({ closed, reader }) => closed.missing(reader, from));
    if (span === undefined) return undefined;
    try {
      for (const step of open.closed.steps(span)) await toRead(() => build(step));
      // While no change is under way. Many rows that wait for a checkpoint would take too much of the memory of the index.
      await toWrite(() =>
        build((builder) => builder.run(mayCommit(span) ? 'COMMIT; CHECKPOINT' : 'ROLLBACK')),
      );
    } catch (error) {
      await toRead(async () => {
        if (file === open) await open.builder.run('ROLLBACK').catch(() => undefined);
      });
      // It may fail again: others have their turn first.
      open.closed.changed([rangeOf(span)]);
      throw error;
    }
    return rangeOf(span);

    function build(work: (builder: DuckDBConnection) => Promise<unknown>): Promise<unknown> {
      return attempt('builder', closing.signal, async (now) => {
        if (now !== open) throw new IndexUnavailable('the DuckDB file was opened again');
        return work(open.builder);
      });
    }
  }

  /** Ends what runs when `signal` fires, with its reason. */
  async function attempt<Value>(
    by: 'reader' | 'writer' | 'builder',
    signal: AbortSignal,
    work: (open: DuckdbFile) => Promise<Value>,
  ): Promise<Value> {
    signal.throwIfAborted();
    const open = file;
    if (open === undefined) throw new IndexUnavailable(failure ?? 'the DuckDB file is not open');
    try {
      return await interruptible(open[by], signal, () => work(open));
    } catch (error) {
      signal.throwIfAborted();
      if (isFatal(error)) failure = reasonOf(error);
      throw new IndexUnavailable('DuckDB cannot do this now', { cause: error });
    }
  }

  /** After a fatal error (a full disk at a checkpoint), DuckDB rejects everything until the file is opened again. */
  async function reopen(): Promise<void> {
    file?.close();
    file = undefined;
    try {
      file = await openDuckdbFile(settings);
      failure = undefined;
    } catch (error) {
      failure = error instanceof DuckdbFileError ? error.message : reasonOf(error);
      throw error;
    }
  }

  /** Running queries are cancelled: a change leaves nothing behind, and is repeated. */
  async function close(): Promise<void> {
    closing.abort(new IndexUnavailable('the index is closed'));
    await toWrite(() =>
      toRead(async () => {
        failure = 'the index is closed';
        file?.close();
        file = undefined;
      }),
    );
  }
}

async function listOf<One>(events: Iterable<One | undefined>): Promise<One[]> {
  const all: One[] = [];
  for (const event of events) {
    if (event !== undefined) all.push(event);
    const turn = giveWay();
    if (turn !== undefined) await turn;
  }
  return all;
}

async function create<One extends { id: string; time: number }>(
  file: DuckdbFile,
  table: Table<One>,
  events: One[],
): Promise<Outcome[]> {
  if (events.length === 0) return [];
  const keys = await mapInTurns(events, ({ id }) => keyOf(id));
  return change(file, async (forget) => {
    const existing = await findKeys(file.writer, table, keys);
    const fresh = new Map<bigint, One>();
    const outcomes = events.map((event, i): Outcome => {
      const key = keys[i] ?? 0n;
      if (existing.has(key) || fresh.has(key)) return { status: 'exists' };
      fresh.set(key, event);
      return { status: 'created' };
    });
    if (fresh.size > 0) await appendRows(file.writer, table, fresh);
    if (table.name === 'events') await forget(file.closed.among(fresh.values()));
    return outcomes;
  });
}

async function retain(file: DuckdbFile, before: number): Promise<number> {
  const { writer } = file;
  return change(file, async (forget) => {
    await writer.run('DELETE FROM decisions WHERE time < $1', [toTimestamp(before)]);
    const { rowsChanged } = await writer.run('DELETE FROM events WHERE time < $1', [toTimestamp(before)]);
    if (rowsChanged > 0) await forget([{ from: Number.MIN_SAFE_INTEGER, to: before }]);
    return rowsChanged;
  });
}

/** In one transaction. `forget` deletes the closed spans in which `work` changes events. */
async function change<Value>(
  { writer, closed }: DuckdbFile,
  work: (forget: (ranges: Range[]) => Promise<void>) => Promise<Value>,
): Promise<Value> {
  let changed: Range[] = [];
  await writer.run('BEGIN');
  try {
    const value = await work((ranges) => {
      changed = ranges;
      return closed.forget(writer, ranges);
    });
    await writer.run('COMMIT');
    return value;
  } catch (error) {
    // Fails when the transaction is gone already; then there is nothing to take back.
    await writer.run('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    closed.changed(changed);
  }
}

async function stats({ reader }: DuckdbFile, path: string): Promise<DuckdbStats> {
  const found = await reader.runAndReadAll('SELECT count(*), epoch_ms(min(time)) FROM events');
  const [events, oldest] = found.getRows()[0] ?? [];
  const { size } = await stat(path);
  return { events: Number(events), oldest: oldest == null ? undefined : Number(oldest), bytes: size };
}

function isFatal(error: unknown): boolean {
  return error instanceof Error && /^FATAL|has been invalidated/i.test(error.message);
}
