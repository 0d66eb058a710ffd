import { isKafkajsModuleLoaded, replaceKafkajsModule } from './module.ts';

type Asked<Message> = {
  topic: string;
  partitionMetadata: object[];
  messages: Message[];
  partitioner(asked: { topic: string; partitionMetadata: object[]; message: Message }): number;
};

const FILE = 'producer/groupMessagesPerPartition';
/** Keeps the function above from when it is loaded, with kafkajs itself. */
const USER = 'producer/sendMessages';

/**
 * Makes kafkajs group messages by partition with `groupMessages`. Its own function copies all messages of a partition for each one that it
 * adds: a fifth of the CPU of forwarding. Call this before kafkajs is loaded.
 */
export function groupMessagesInOnePass(): boolean {
  return replaceKafkajsModule<typeof groupMessages>(FILE, (original) =>
    typeof original === 'function' && !isKafkajsModuleLoaded(USER) ? groupMessages : undefined,
  );
}

/** Messages by the number of their partition, in their order; none without partitions. */
export function groupMessages<Message>({
  topic,
  partitionMetadata,
  messages,
  partitioner,
}: Asked<Message>): Record<number, Message[]> {
  const groups: Record<number, Message[]> = {};
  if (partitionMetadata.length === 0) return groups;
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message });
    const group = groups[partition];
    if (group === undefined) groups[partition] = [message];
    else group.push(message);
  }
  return groups;
}
