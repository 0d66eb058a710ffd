import { compressionsAlgorithms } from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { unpack } from '../../store/codecs/unpack.ts';

const { lz4, snappy } = compressionsAlgorithms;
const { CompressionCodecs } = kafkajs;

/** Codecs by their number in the attributes of a batch. */
export const CODECS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
const LARGEST_BLOCK = 128 * 1024;
const SHORTEST_RUN = 64;
const RAW = 0;
const RLE = 1;
/** The last block, empty. */
const LAST = 1;
/** With a window of 2 MiB, without a size and a checksum. */
const ZSTD_HEAD = Buffer.from('28b52ffd0058', 'hex');

/** Makes kafkajs, in this process, write and read the codecs that it does not include. */
export function writeAllCodecs(): void {
  write(CODECS.snappy, snappy.compressSync);
  write(CODECS.lz4, lz4.compressSync);
  write(CODECS.zstd, toZstd);
}

function write(codec: 2 | 3 | 4, compressSync: (bytes: Buffer) => Buffer): void {
  CompressionCodecs[codec] = () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => compressSync(buffer),
    decompress: async (bytes: Buffer) => unpack(codec, bytes),
  });
}

/** A frame of uncompressed blocks and of runs of one byte: Node 20 cannot compress zstd. */
function toZstd(bytes: Buffer): Buffer {
  const parts: Buffer[] = [ZSTD_HEAD];
  let from = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = endOfRun(bytes, at);
    if (end - at >= SHORTEST_RUN) {
      addBlocks(parts, bytes.subarray(from, at), RAW);
      addBlocks(parts, bytes.subarray(at, end), RLE);
      from = end;
    }
    at = end;
  }
  addBlocks(parts, bytes.subarray(from), RAW);
  parts.push(Buffer.from([LAST, 0, 0]));
  return Buffer.concat(parts);
}

function endOfRun(bytes: Buffer, from: number): number {
  let at = from + 1;
  while (at < bytes.length && bytes[at] === bytes[from]) at++;
  return at;
}

/** "Block_Header" in RFC 8878. */
function addBlocks(parts: Buffer[], bytes: Buffer, type: typeof RAW | typeof RLE): void {
  for (let at = 0; at < bytes.length; at += LARGEST_BLOCK) {
    const block = bytes.subarray(at, at + LARGEST_BLOCK);
    const head = Buffer.alloc(3);
    head.writeUIntLE((block.length << 3) | (type << 1), 0, 3);
    parts.push(head, type === RLE ? block.subarray(0, 1) : block);
  }
}
