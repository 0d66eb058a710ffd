import { openPlainLookup } from '../app/open-lookup.ts';
import { openQuestions } from '../app/open-questions.ts';
import type { Config } from '../service/config/config.ts';
import { reasonOf } from '../service/log.ts';
import { IndexUnavailable } from '../store/event-index.ts';
import { withinTime } from './within-time.ts';

export type IndexState = {
  name: string;
  /** Why it does not answer correctly. */
  problem?: string;
  /** Why the page has no numbers from it, although it answers. */
  noNumbers?: string;
  /** Why that is unknown. */
  unknown?: string;
};

/** The id of no event, and of no item: what is asked about costs the index nothing. */
const NONE = '0'.repeat(32);
const PATIENCE_MS = 10_000;
const HOUR_MS = 3_600_000;

/**
 * Whether Elasticsearch answers with this login, and the page has numbers from it; undefined for DuckDB, which is reported by the process
 * that has it open.
 */
export async function askIndex(config: Config): Promise<IndexState | undefined> {
  const { node, data_stream } = config.elasticsearch;
  if (node === undefined) return undefined;
  const name = `Elasticsearch ${node}, data stream ${data_stream}`;
  try {
    const lookup = await openPlainLookup(config);
    await withinTime(PATIENCE_MS, lookup.count([NONE])).finally(lookup.close);
  } catch (error) {
    const reason = reasonOf(error);
    // The login of a sink may only create, which is sufficient.
    const mayNotRead = error instanceof IndexUnavailable && /\(403\)/.test(reason);
    return mayNotRead ? { name, unknown: 'this login lacks read' } : { name, problem: reason };
  }
  const noNumbers = await whyNoNumbers(config);
  return { name, ...(noNumbers !== undefined && { noNumbers }) };
}

async function whyNoNumbers(config: Config): Promise<string | undefined> {
  const to = Date.now();
  const lastHour = { item: NONE, from: to - HOUR_MS, to, stepMs: HOUR_MS };
  try {
    const { questions, close } = await openQuestions(config);
    await withinTime(PATIENCE_MS, questions.timeLine(lastHour)).finally(close);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}
