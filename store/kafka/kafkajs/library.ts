import { loadKafkajs } from './patches/files.ts';
import { patchKafkajs } from './patches/patches.ts';

/** Patches that could not be applied, named by what does not work without them. */
export const notPatched = patchKafkajs();

/** kafkajs, patched. Not imported: imports are loaded first, and one patch has to be applied before. */
export const kafkajs: typeof import('kafkajs') = loadKafkajs('index') as typeof import('kafkajs');
