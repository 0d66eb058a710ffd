import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type ClosedSpans, openClosedSpans } from './closed-spans.ts';
import { COLUMNS, type Column } from './columns.ts';
import { CREATE_DECISIONS } from './decision-columns.ts';

/** Of the schema that has the table of decisions. */
const WITH_DECISIONS = 4;
/** Of the first that forgets a closed span whose events it changes. An earlier version must not write into such a file. */
const WITH_CLOSED_SPANS = 6;
const SCHEMA_VERSION = Math.max(WITH_DECISIONS, WITH_CLOSED_SPANS, ...COLUMNS.map(({ since }) => since));

/**
 * No primary key: its index would hold every id in memory. An id as text would take twice the room and four times as
 * long to look up.
 */
const SCHEMA = `
  CREATE TABLE hotitem (schema_version INTEGER NOT NULL);
  INSERT INTO hotitem VALUES (${SCHEMA_VERSION});
  CREATE TABLE events (${COLUMNS.map(definition).join(', ')});
  ${CREATE_DECISIONS}`;

/** What else made the schema of each version that of the next, beside the columns that are new in it. */
const CHANGES: Readonly<Record<number, string>> = {
  1: 'ALTER TABLE events ALTER COLUMN ip DROP NOT NULL;',
  [WITH_DECISIONS - 1]: CREATE_DECISIONS,
};

/** The file cannot be used. The message names it and what to do. */
export class DuckdbFileError extends Error {
  override name = 'DuckdbFileError';
}

const LONGEST_REASON = 200;

export type DuckdbFileOptions = {
  path: string;
  memoryLimitMb: number;
  threads: number;
  now: () => number;
};

export type DuckdbFile = {
  /** For changes. */
  writer: DuckDBConnection;
  /** For questions: they see what is committed, and do not wait for changes. */
  reader: DuckDBConnection;
  /** For computing closed spans. */
  builder: DuckDBConnection;
  closed: ClosedSpans;
  close(): void;
};

/** Opens the file with its tables, created where they are missing. Throws a `DuckdbFileError`. */
export async function openDuckdbFile({
  path,
  memoryLimitMb,
  threads,
  now,
}: DuckdbFileOptions): Promise<DuckdbFile> {
  const instance = await openInstance(path, {
    threads: String(threads),
    memory_limit: `${memoryLimitMb}MB`,
    // Beside the file, for a question that needs more memory than that.
    max_temp_directory_size: '1GB',
    // Nothing is ever fetched from the network, or read from another file.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    enable_external_access: 'false',
  });
  try {
    const writer = await instance.connect();
    await ensureSchema(writer, path);
    const closed = await openClosedSpans(writer, now);
    const [reader, builder] = [await instance.connect(), await instance.connect()];
    return { writer, reader, builder, closed, close };

    function close(): void {
      builder.closeSync();
      reader.closeSync();
      writer.closeSync();
      instance.closeSync();
    }
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

async function openInstance(path: string, options: Record<string, string>): Promise<DuckDBInstance> {
  try {
    return await DuckDBInstance.create(path, options);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new DuckdbFileError(explain(path, said), { cause: error });
  }
}

function explain(path: string, said: string): string {
  if (/conflicting lock/i.test(said)) {
    const [, pid] = /\(PID (\d+)\)/.exec(said) ?? [];
    const owner = pid === undefined ? 'another process' : `process ${pid}`;
    return `${path} is in use by ${owner}, and DuckDB allows one process per file: stop that process, or set another duckdb.path`;
  }
  if (/not a valid DuckDB database/i.test(said)) {
    return `${path} is not a DuckDB file: move it, or set another duckdb.path`;
  }
  if (/replaying WAL/i.test(said)) {
    return `${path}.wal is damaged: move it away, and hotitem replay indexes again what Kafka, or the spool, still has`;
  }
  return `${path} cannot be opened by DuckDB: ${said.split('\n', 1)[0]?.slice(0, LONGEST_REASON)}`;
}

async function ensureSchema(connection: DuckDBConnection, path: string): Promise<void> {
  const tables = await connection.runAndReadAll(
    "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'hotitem'",
  );
  if (Number(tables.getRows()[0]?.[0]) === 0) {
    await connection.run(`BEGIN; ${SCHEMA} COMMIT;`);
    return;
  }
  const versions = await connection.runAndReadAll('SELECT max(schema_version) FROM hotitem');
  const version = Number(versions.getRows()[0]?.[0]);
  if (version === SCHEMA_VERSION) return;
  if (version >= 1 && version < SCHEMA_VERSION) {
    await upgrade(connection, version);
    return;
  }
  throw new DuckdbFileError(
    `${path} has schema version ${version}, this hotitem supports ${SCHEMA_VERSION}: run the newer version, or set another duckdb.path`,
  );
}

/** Each step in a transaction: a kill leaves the file as it was, or of a version in between. DuckDB refuses several steps in one. */
async function upgrade(connection: DuckDBConnection, from: number): Promise<void> {
  for (let version = from; version < SCHEMA_VERSION; version++) {
    await connection.run(
      `BEGIN; ${upgradeOf(version)} UPDATE hotitem SET schema_version = ${version + 1}; COMMIT;`,
    );
  }
}

/** What makes the schema of a version that of the next. */
function upgradeOf(version: number): string {
  const added = COLUMNS.filter(({ since }) => since === version + 1);
  const columns = added.map((column) => `ALTER TABLE events ADD COLUMN ${definition(column)};`);
  return [CHANGES[version] ?? '', ...columns].join(' ');
}

function definition({ name, type }: Column): string {
  return `${name} ${type}`;
}
