import { isRecent } from '../service/is-recent.ts';
import { recordsBehind } from '../store/kafka/records-behind.ts';
import type { TopicReader } from '../store/kafka/topic-reader.ts';
import { connectReader } from './connect-kafka.ts';
import type { Core } from './core.ts';

/** Records of a topic that a group has not committed, and when Kafka was asked, ms since 1970. */
export type GroupLag = { records: number; askedAt: number };

export type GroupWatch = {
  /** Returns what Kafka said about the group a quarter of a minute ago at most; undefined while it does not say. */
  behind(topic: string, group: string): () => GroupLag | undefined;
};

const EVERY_MS = 15_000;
/** An older answer does not count: nothing may look fine just because nobody has asked lately. */
const FORGOTTEN_AFTER_MS = 60_000;

/**
 * How far consumer groups are behind, as the brokers say. The consumer itself does not know it while it hangs, nor of partitions that
 * nobody reads.
 */
export function watchGroups(
  core: Pick<Core, 'config' | 'now' | 'shutdown' | 'warn'>,
  connect: () => Promise<TopicReader> = () => connectReader(core),
): GroupWatch {
  const { now, shutdown } = core;
  const groups: { topic: string; group: string; lag?: GroupLag | undefined }[] = [];
  let reader: TopicReader | undefined;
  let [isAsking, isStopping] = [false, false];
  const timer = setInterval(ask, EVERY_MS).unref();
  shutdown.add('groups', async () => {
    isStopping = true;
    clearInterval(timer);
    await reader?.close();
  });
  return {
    behind(topic, group) {
      const one: (typeof groups)[number] = { topic, group };
      groups.push(one);
      ask();
      return () => (isRecent(one.lag?.askedAt ?? 0, now(), FORGOTTEN_AFTER_MS) ? one.lag : undefined);
    },
  };

  /** One question at a time: one that hangs must not be followed by others. */
  function ask(): void {
    if (isAsking) return;
    isAsking = true;
    void askAll().finally(() => {
      isAsking = false;
    });
  }

  /** Never rejects. A topic or a permission that is missing is told by what reads the topic. */
  async function askAll(): Promise<void> {
    for (const one of groups) {
      if (isStopping) return;
      try {
        reader ??= await connect();
        one.lag = { records: await recordsBehind(reader, one.topic, one.group), askedAt: now() };
      } catch {
        one.lag = undefined;
        await reader?.close();
        reader = undefined;
      }
    }
  }
}
