import type { OffsetReset } from '../../offset-reset.ts';
import { replaceKafkajsModule } from './module.ts';

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

/**
 * If Kafka no longer has the next offset, kafkajs continues at the oldest one and does not report the skipped events, so no counter could
 * count them. With this patch it emits its commit event, because the reset commits an offset, and adds both offsets to it.
 */
export function tellOffsetResets(): boolean {
  return replaceKafkajsModule<{ prototype: OffsetManager }>('consumer/offsetManager/index', (original) => {
    const { prototype } = original;
    const setDefaultOffset = prototype?.setDefaultOffset;
    if (typeof setDefaultOffset !== 'function' || typeof prototype.nextOffset !== 'function')
      return undefined;
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
    return original;
  });
}

/** The reset in a commit event; undefined for an ordinary commit. */
export function resetIn(payload: object): OffsetReset | undefined {
  return 'reset' in payload && isReset(payload.reset) ? payload.reset : undefined;
}

function isReset(value: unknown): value is OffsetReset {
  return (
    typeof value === 'object' && value !== null && 'partition' in value && 'from' in value && 'to' in value
  );
}
