import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { oddityOf, type TailedFile } from './folder.ts';
import type { Offset } from './offsets.ts';

/** A file of lines, read from where ingestion has stopped. */
export type LineReader = {
  /** Where the next `read` begins. */
  at(): number;
  /**
   * The next complete lines, valid until the next call; empty when there are none. With `last` also what is left behind
   * the last newline, because nothing will ever end it.
   */
  read(last: boolean): Promise<Buffer>;
  /** How far `read` came, to be kept once its lines are. */
  offset(): Promise<Offset>;
  close(): Promise<void>;
};

const NEWLINE = 0x0a;
const NUL = 0;
/** Version, time and request id: no two files begin with the same. The address, which comes next, is not in it. */
const HEAD_BYTES = 48;
// Others can write to this folder: do not follow links, and do not wait for the other end of a pipe.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens a file where it was left. It begins again at the start when the file is shorter than that or begins otherwise: it was
 * truncated, or is another file with the inode of one that was removed. Throws as the file system does, and where something
 * else has come to lie there since the folder was looked at.
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
      // Nothing is ever appended before NULs, which a power cut left where nginx had written.
      const end = bytes.lastIndexOf(NEWLINE) + 1 || bytes.lastIndexOf(NUL) + 1;
      // A line that fills the buffer is not nginx's: it continues in pieces, which are rejected one by one.
      const lines = end > 0 || !(last || bytesRead === buffer.length) ? bytes.subarray(0, end) : bytes;
      at += lines.length;
      return lines;
    },
    offset: async () => ({ at, head: (await headOf(at)) ?? 0 }),
    close: () => file.close(),
  };

  /** Undefined when the file has no `at` bytes. */
  async function headOf(at: number): Promise<number | undefined> {
    if ((await file.stat()).size < at) return undefined;
    const head = Buffer.alloc(Math.min(HEAD_BYTES, at));
    await file.read(head, 0, head.length, 0);
    return crc32(head);
  }
}
