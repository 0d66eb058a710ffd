import { Trouble } from '../../../../service/trouble.ts';
import { tellWhyNoCoordinator } from './coordinator.ts';
import { alterIncrementally } from './incremental.ts';
import { kafkajsVersion } from './module.ts';
import { tellOffsetResets } from './offsets.ts';
import { decodeRecordsLate } from './record-decoder.ts';
import { encodeRecordsAtOnce } from './record-encoder.ts';
import { calmTimers } from './timer.ts';

/** Puts itself in place, once for the process, and says whether it is: not where kafkajs has nothing of that kind. */
export type Patch = () => boolean;

/** What every patch below was written and tested for. */
const VERSION = '2.2.4';

/** By what is missed without it. */
const PATCHES: Record<string, Patch> = {
  'an idle connection costs no CPU': calmTimers,
  'undecodable batches are set aside': decodeRecordsLate,
  'events that Kafka removed unread are counted': tellOffsetResets,
  'a missing permission for a group is named': tellWhyNoCoordinator,
  'records are encoded at once': encodeRecordsAtOnce,
  'setup leaves other settings of a topic alone': alterIncrementally,
};

/**
 * Changes the kafkajs of this process. Returns which patches are not in place, each by what is missed. Throws a `Trouble` where it is
 * another version: what is changed inside may mean something else there.
 */
export function patchKafkajs(patches = PATCHES, version: string = kafkajsVersion()): string[] {
  if (version !== VERSION)
    throw new Trouble(
      `kafkajs ${version} is installed, and hotitem changes the insides of ${VERSION}`,
      `Install kafkajs@${VERSION}, or set kafka.client: platformatic.`,
    );
  return Object.keys(patches).filter((name) => patches[name]?.() === false);
}
