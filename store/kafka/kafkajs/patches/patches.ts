import { Trouble } from '../../../../service/trouble.ts';
import { tellWhyNoCoordinator } from './coordinator.ts';
import { groupMessagesInOnePass } from './grouping.ts';
import { alterIncrementally } from './incremental.ts';
import { kafkajsVersion } from './module.ts';
import { tellOffsetResets } from './offsets.ts';
import { decodeRecordsLate } from './record-decoder.ts';
import { encodeRecordsAtOnce } from './record-encoder.ts';
import { calmTimers } from './timer.ts';

/** Applies a patch, once per process. Returns false if kafkajs does not have the code that it replaces. */
export type Patch = () => boolean;

/** The version for which every patch below was written and tested. */
const VERSION = '2.2.4';

/** Patches by what does not work without them. */
const PATCHES: Record<string, Patch> = {
  'an idle connection costs no CPU': calmTimers,
  'undecodable batches are set aside': decodeRecordsLate,
  'events that Kafka removed unread are counted': tellOffsetResets,
  'a missing permission for a group is named': tellWhyNoCoordinator,
  'messages are grouped in one pass': groupMessagesInOnePass,
  'records are encoded at once': encodeRecordsAtOnce,
  'setup leaves other settings of a topic alone': alterIncrementally,
};

/**
 * Patches the kafkajs of this process, before it is loaded. Returns the patches that could not be applied, named by what does not work without them. Throws a
 * `Trouble` if another version is installed, whose internals may differ.
 */
export function patchKafkajs(patches = PATCHES, version: string = kafkajsVersion()): string[] {
  if (version !== VERSION)
    throw new Trouble(
      `kafkajs ${version} is installed, but hotitem patches the internals of ${VERSION}`,
      `Install kafkajs@${VERSION}, or set kafka.client: platformatic.`,
    );
  return Object.keys(patches).filter((name) => patches[name]?.() === false);
}
