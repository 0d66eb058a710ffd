import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { syncFolder } from '../../service/replace-file.ts';

/** The position of a consumer. */
export type Position = {
  /** Sequence of the next event to deliver. */
  sequence: number;
  /** A hint where that event is: in the segment that begins with this event… */
  segment: number;
  /** …in the record at this byte offset, possibly not as its first event. */
  offset: number;
};

/**
 * A position on disk: two slots of 128 bytes, written alternately and in place. Each is a line of text with a crc. A write interrupted by a
 * crash damages one slot; the other has the previous position. Writing in place works on a full disk, where cursors must advance so that
 * segments can be removed.
 */
export type Cursor = {
  /** The stored position. */
  readonly position: Position;
  store(position: Position): Promise<void>;
  close(options: { fsync: boolean }): Promise<void>;
};

const SLOT_BYTES = 128;
const SLOT = /^(hotitem-cursor 1 (\d{1,15}) (\d{1,16}) (\d{1,16}) (\d{1,16})) ([\da-f]{8}) *\n$/;

/** Opens the cursor in `path`, or creates it at `start`. `onDamage`: called if it exists but cannot be read. */
export async function openCursor(path: string, start: Position, onDamage: () => void): Promise<Cursor> {
  const file = await openOrCreate(path);
  const slots = await readSlots(file);
  const best = slots.toSorted((a, b) => b.writes - a.writes)[0];
  let writes = best?.writes ?? 0;
  let position = best?.position ?? start;
  if (best === undefined) {
    if ((await file.stat()).size > 0) onDamage();
    // Both slots, so that the file never grows later.
    await store(position);
    await store(position);
    await file.sync();
    await syncFolder(dirname(path));
  }
  return {
    get position() {
      return position;
    },
    store,
    close,
  };

  async function store(to: Position): Promise<void> {
    const slot = Buffer.from(format(writes + 1, to));
    await file.write(slot, 0, slot.length, ((writes + 1) % 2) * SLOT_BYTES);
    writes++;
    position = to;
  }

  async function close({ fsync }: { fsync: boolean }): Promise<void> {
    try {
      if (fsync) await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** The position stored in `path`, without opening the cursor. Undefined if there is none that can be read. */
export async function readCursor(path: string): Promise<Position | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const slots = await readSlots(file);
    return slots.toSorted((a, b) => b.writes - a.writes)[0]?.position;
  } finally {
    await file.close();
  }
}

function openOrCreate(path: string): Promise<FileHandle> {
  return open(path, 'r+').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return open(path, 'w+', 0o640);
    throw error;
  });
}

async function readSlots(file: FileHandle): Promise<{ writes: number; position: Position }[]> {
  const buffer = Buffer.alloc(2 * SLOT_BYTES);
  await file.read(buffer, 0, buffer.length, 0);
  const texts = [buffer.toString('latin1', 0, SLOT_BYTES), buffer.toString('latin1', SLOT_BYTES)];
  return texts.flatMap((text) => parse(text) ?? []);
}

function format(writes: number, { sequence, segment, offset }: Position): string {
  const text = `hotitem-cursor 1 ${writes} ${sequence} ${segment} ${offset}`;
  return `${`${text} ${checksum(text)}`.padEnd(SLOT_BYTES - 1)}\n`;
}

function parse(slot: string): { writes: number; position: Position } | undefined {
  const [, text, writes, sequence, segment, offset, crc] = SLOT.exec(slot) ?? [];
  if (text === undefined || crc !== checksum(text)) return undefined;
  const position = { sequence: Number(sequence), segment: Number(segment), offset: Number(offset) };
  return { writes: Number(writes), position };
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
