import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import kafkajs from 'kafkajs';
import { giveWay } from '../../../service/give-way.ts';
import { unpackLater } from '../../codecs/unpack.ts';

const { CompressionCodecs } = kafkajs;
const compress = promisify(gzip);

const GZIP = 1;
/** By the number that the attributes of a batch have. */
const READ_ONLY = [2, 3, 4] as const;
/** Half the time of zlib's default level, for a tenth more bytes. */
const LEVEL = 1;

/**
 * Makes kafkajs, wherever this process uses it, compress fast, and read the codecs that it has none for. Only messages from
 * before Kafka 0.11 are read with these: `decodeRecordsLate` reads the others.
 */
export function useCodecs(): void {
  CompressionCodecs[GZIP] = () => ({
    compress: ({ buffer }: { buffer: Buffer }) => compress(buffer, { level: LEVEL }),
    decompress: (bytes: Buffer) => unpackLater(GZIP, bytes, giveWay),
  });
  for (const codec of READ_ONLY) {
    CompressionCodecs[codec] = () => ({ decompress: (bytes: Buffer) => unpackLater(codec, bytes, giveWay) });
  }
}
