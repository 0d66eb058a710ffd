import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { giveWay } from '../../../service/give-way.ts';
import { unpackLater } from '../../codecs/unpack.ts';
import { kafkajs } from './library.ts';

const compress = promisify(gzip);

const GZIP = 1;
/** Codecs by their number in the attributes of a batch. */
const READ_ONLY = [2, 3, 4] as const;
/** Takes half the time of zlib's default level, for a tenth more bytes. */
const LEVEL = 1;

/**
 * Makes kafkajs, in the whole process, compress faster, and decompress the codecs that it does not support. kafkajs decompresses only
 * messages from before Kafka 0.11 with these: `decodeRecordsLate` handles all others.
 */
export function useCodecs(): void {
  kafkajs.CompressionCodecs[GZIP] = () => ({
    compress: ({ buffer }: { buffer: Buffer }) => compress(buffer, { level: LEVEL }),
    decompress: (bytes: Buffer) => unpackLater(GZIP, bytes, giveWay),
  });
  for (const codec of READ_ONLY) {
    kafkajs.CompressionCodecs[codec] = () => ({
      decompress: (bytes: Buffer) => unpackLater(codec, bytes, giveWay),
    });
  }
}
