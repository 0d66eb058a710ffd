import { join } from 'node:path';
import type { Config } from '../service/config/config.ts';
import type { DeadLetterBox } from '../store/dead-letters/box.ts';
import { createDeadLetterFileBox } from '../store/dead-letters/file.ts';
import { createDeadLetterTopicBox } from '../store/dead-letters/topic.ts';
import { connectKafka, connectReader } from './connect-kafka.ts';
import type { Core } from './core.ts';

/** The dead letters of this configuration: a topic with Kafka, otherwise a file. */
export async function openDeadLetters(core: Core): Promise<DeadLetterBox> {
  const { dead_letter_topic: topic } = core.config.kafka;
  if (!core.parts.kafka) return createDeadLetterFileBox(deadLetterPath(core.config));
  const [reader, client] = await Promise.all([connectReader(core), connectKafka(core)]);
  return createDeadLetterTopicBox({ topic, reader, client });
}

/** The file that the embedded sink writes. */
export function deadLetterPath({ home }: Config): string {
  return join(home, 'dead-letters.ndjson');
}
