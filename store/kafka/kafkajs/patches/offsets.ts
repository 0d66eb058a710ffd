import { createRequire } from 'node:module';
import type { OffsetReset } from '../../offset-reset.ts';

type Where = { topic: string; partition: number };
type Emitter = { emit(name: string, payload: object): void };
type OffsetManager = {
  groupId: string;
  memberId: string;
  generationId: number;
  instrumentationEmitter: Emitter;
  cluster: { fetchTopicsOffset(topics: object[]): Promise<{ partitions: { offset: string }[] }[]> };
  nextOffset(topic: string, partition: number): { toString(): string };
  setDefaultOffset(where: Where): Promise<void>;
};

const COMMITTED = 'consumer.commit_offsets';
const told = new WeakSet<OffsetManager>();

/**
 * kafkajs 2.2.4 goes on with the oldest offset where Kafka no longer has the next one, and tells nobody which events it passes over: they
 * are gone, and no counter knows. With this it emits its event for a commit, which that is, with the offsets in it. May be called again.
 * A version whose offsets are kept elsewhere is left as it is.
 */
export function tellOffsetResets(): void {
  const manager: unknown = createRequire(import.meta.url)('kafkajs/src/consumer/offsetManager');
  if (typeof manager !== 'function' || !isOffsetManager(manager.prototype) || told.has(manager.prototype))
    return;
  const { prototype } = manager;
  const setDefaultOffset = prototype.setDefaultOffset;
  prototype.setDefaultOffset = async function (this: OffsetManager, where: Where) {
    const { topic, partition } = where;
    const from = BigInt(this.nextOffset(topic, partition).toString());
    const oldest = { topic, partitions: [{ partition }], fromBeginning: true };
    const [found] = await this.cluster.fetchTopicsOffset([oldest]);
    const to = BigInt(found?.partitions[0]?.offset ?? from);
    await setDefaultOffset.call(this, where);
    const { groupId, memberId, generationId: groupGenerationId } = this;
    const topics = [{ topic, partitions: [{ partition, offset: String(to) }] }];
    const reset: OffsetReset = { partition, from, to };
    this.instrumentationEmitter.emit(COMMITTED, { groupId, memberId, groupGenerationId, topics, reset });
  };
  told.add(prototype);
}

/** What the event of a commit says of a reset; undefined where it is another commit. */
export function resetIn(payload: object): OffsetReset | undefined {
  return 'reset' in payload && isReset(payload.reset) ? payload.reset : undefined;
}

function isReset(value: unknown): value is OffsetReset {
  return (
    typeof value === 'object' && value !== null && 'partition' in value && 'from' in value && 'to' in value
  );
}

function isOffsetManager(value: unknown): value is OffsetManager {
  return (
    typeof value === 'object' &&
    value !== null &&
    'setDefaultOffset' in value &&
    typeof value.setDefaultOffset === 'function' &&
    'nextOffset' in value
  );
}
