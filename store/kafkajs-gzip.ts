import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import kafkajs from 'kafkajs';

const { CompressionCodecs, CompressionTypes } = kafkajs;
const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Half the time of the level that zlib takes by itself, for a tenth more bytes. */
const LEVEL = 1;

/** Makes kafkajs, wherever this process uses it, compress fast. */
export function useFastGzip(): void {
  CompressionCodecs[CompressionTypes.GZIP] = () => ({
    compress: ({ buffer }: { buffer: Buffer }) => compress(buffer, { level: LEVEL }),
    decompress: (buffer: Buffer) => decompress(buffer),
  });
}
