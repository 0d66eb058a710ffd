/*
 * The partition of a key: MurmurHash2 of its bytes, with the seed of Kafka's Java client, whose partitioner
 * (`BuiltInPartitioner.partitionForKey`) all other clients follow. Both of our clients use this function, so a node may switch its client
 * and its keys stay in order.
 *
 * Austin Appleby, MurmurHash2, https://github.com/aappleby/smhasher (public domain).
 */

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** Not negative: the partition is the remainder of its division by the number of partitions. */
export function keyNumber(key: Buffer): number {
  const { length } = key;
  let hash = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    const mixed = Math.imul(key.readInt32LE(at), M);
    hash = Math.imul(hash, M) ^ Math.imul(mixed ^ (mixed >>> R), M);
  }
  if (at < length) {
    for (let i = length - 1; i >= at; i--) hash ^= (key[i] ?? 0) << (8 * (i - at));
    hash = Math.imul(hash, M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return (hash ^ (hash >>> 15)) & 0x7fffffff;
}
