import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { oddityOf, type TailedFile } from './folder.ts';
import type { Offset } from './offsets.ts';

/** A file of lines, read from where ingestion stopped. */
export type LineReader = {
  /** Where the next `read` begins. */
  at(): number;
  /**
   * The next complete lines, valid until the next call; empty if there are none. With `last`, also the text after the last newline, because
   * nothing will complete it.
   */
  read(last: boolean): Promise<Buffer>;
  /** The position after the last `read`, to be stored once its lines are. */
  offset(): Promise<Offset>;
  close(): Promise<void>;
};

const NEWLINE = 0x0a;
const NUL = 0;
/** Of views: version, time and request id, so no two files begin the same. It ends before the address. Files of log-shared.conf may. */
const HEAD_BYTES = 48;
// Others can write to this folder: follow no links, and do not block on a pipe.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens a file at its stored position. Starts over if the file is shorter than that, or begins differently: it was truncated, or is another
 * file with a reused inode. Throws file system errors, and if the file was replaced since the folder was listed.
 */
export async function openLines(
  { path, inode }: TailedFile,
  from: Offset | undefined,
  buffer: Buffer,
): Promise<LineReader> {
  const file = await open(path, FLAGS);
  let at = 0;
  try {
    const found = await file.stat({ bigint: true });
    if (String(found.ino) !== inode || oddityOf(found) !== undefined) throw new Error('it was replaced');
    if (from !== undefined && (await headOf(from.at)) === from.head) at = from.at;
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    at: () => at,
    async read(last) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      const bytes = buffer.subarray(0, bytesRead);
      // After a power cut, NULs can end a file where nginx had written; nothing is appended before them.
      const end = bytes.lastIndexOf(NEWLINE) + 1 || bytes.lastIndexOf(NUL) + 1;
      // A line that fills the buffer is not nginx's: it is read in pieces, each of which is rejected.
      const lines = end > 0 || !(last || bytesRead === buffer.length) ? bytes.subarray(0, end) : bytes;
      at += lines.length;
      return lines;
    },
    offset: async () => ({ at, head: (await headOf(at)) ?? 0 }),
    close: () => file.close(),
  };

  /** Undefined if the file has fewer than `at` bytes. */
  async function headOf(at: number): Promise<number | undefined> {
    if ((await file.stat()).size < at) return undefined;
    const head = Buffer.alloc(Math.min(HEAD_BYTES, at));
    await file.read(head, 0, head.length, 0);
    return crc32(head);
  }
}
