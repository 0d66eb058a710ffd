import { promisify } from 'node:util';
import { isNativeError } from 'node:util/types';
import { gunzip, gunzipSync } from 'node:zlib';
import { unpackLz4 } from './lz4.ts';
import { createOutput, type Output, TooLarge } from './output.ts';
import { unpackSnappy } from './snappy.ts';
import { unpackZstd } from './zstd.ts';

const gunzipLater = promisify(gunzip);

/**
 * How much may come out of one batch: sixteen times the 1 MiB that clients put into one by default before they pack it, and more than
 * events come to that are packed into the 1 MiB that Kafka takes. A batch of 300 KB can be made that unpacks to gigabytes.
 */
export const MOST_UNPACKED: number = 16 * 1024 * 1024;
/** How many times smaller compressed events are, approximately. */
const RATIO = 8;
const SIZE_BYTES = 4;
const SMALLEST_CHUNK = 1024;

const NONE = 0;
const GZIP = 1;
/** By the number that the attributes of a batch have. */
const CODECS: Record<number, (bytes: Buffer, output: Output) => Generator<void>> = {
  2: unpackSnappy,
  3: unpackLz4,
  4: unpackZstd,
};

/** The records of a batch that were compressed with `codec`. Throws where they were not, or are larger than `MOST_UNPACKED`. */
export function unpack(codec: number, bytes: Buffer): Buffer {
  if (codec !== GZIP) {
    const { pieces, unpacked } = start(codec, bytes);
    for (const _ of pieces);
    return unpacked();
  }
  try {
    return gunzipSync(bytes, gzipOptions(bytes));
  } catch (error) {
    throw explain(error);
  }
}

/** As `unpack`; gzip in the thread pool, others in pieces. `giveWay` is asked after each whether there is something to wait for. */
export async function unpackLater(
  codec: number,
  bytes: Buffer,
  giveWay: () => Promise<void> | undefined,
): Promise<Buffer> {
  if (codec !== GZIP) {
    const { pieces, unpacked } = start(codec, bytes);
    for (const _ of pieces) {
      const turn = giveWay();
      if (turn !== undefined) await turn;
    }
    return unpacked();
  }
  return gunzipLater(bytes, gzipOptions(bytes)).catch((error: unknown) => {
    throw explain(error);
  });
}

function start(codec: number, bytes: Buffer): { pieces: Iterable<void>; unpacked: () => Buffer } {
  if (codec === NONE) return { pieces: [], unpacked: () => bytes };
  const into = CODECS[codec];
  if (into === undefined) throw new Error(`its compression, number ${codec}, is unknown`);
  const output = createOutput({ guess: bytes.length * RATIO, most: MOST_UNPACKED });
  return { pieces: into(bytes, output), unpacked: output.bytes };
}

/**
 * Room for all that comes out, so that it need not be put together from pieces: gzip ends with its size. Room that is not written to
 * takes no memory. Throws where it is too large by its own word; where it says less than is true, unpacking ends at the limit.
 */
function gzipOptions(bytes: Buffer): { chunkSize: number; maxOutputLength: number } {
  const size = gzipSize(bytes);
  if (size > MOST_UNPACKED) throw new TooLarge(MOST_UNPACKED);
  // One byte more: after a full chunk, another one is created.
  const chunkSize = Math.max(size + 1, SMALLEST_CHUNK);
  return { chunkSize, maxOutputLength: MOST_UNPACKED };
}

/** How large it is unpacked, by its own word; 0 where it has none. */
export function gzipSize(bytes: Buffer): number {
  return bytes.length < SIZE_BYTES ? 0 : bytes.readUInt32LE(bytes.length - SIZE_BYTES);
}

function explain(error: unknown): unknown {
  const isTooLarge = isNativeError(error) && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
  return isTooLarge ? new TooLarge(MOST_UNPACKED) : error;
}
