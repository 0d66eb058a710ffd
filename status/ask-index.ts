import { openPlainLookup } from '../app/open-lookup.ts';
import type { Config } from '../service/config/config.ts';
import { reasonOf } from '../service/log.ts';
import { IndexUnavailable } from '../store/event-index.ts';
import { withinTime } from './within-time.ts';

export type IndexState = {
  name: string;
  /** Why it does not answer correctly. */
  problem?: string;
  /** Why that is unknown. */
  unknown?: string;
};

const NO_EVENT = '0'.repeat(32);
const PATIENCE_MS = 10_000;

/** Whether Elasticsearch answers with this login; undefined for DuckDB, which is reported by the process that has it open. */
export async function askIndex(config: Config): Promise<IndexState | undefined> {
  const { node, data_stream } = config.elasticsearch;
  if (node === undefined) return undefined;
  const name = `Elasticsearch ${node}, data stream ${data_stream}`;
  try {
    const lookup = await openPlainLookup(config);
    await withinTime(PATIENCE_MS, lookup.count([NO_EVENT])).finally(lookup.close);
    return { name };
  } catch (error) {
    const reason = reasonOf(error);
    // The login of a sink may only create, which is sufficient.
    const mayNotRead = error instanceof IndexUnavailable && /\(403\)/.test(reason);
    return mayNotRead ? { name, unknown: 'this login lacks read' } : { name, problem: reason };
  }
}
