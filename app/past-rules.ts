import { loadCatalogue } from '../catalogue/load.ts';
import type { BacktestOptions, GridOptions } from '../detect/backtest.ts';
import { type Catalogue, compileRules, type RuleOptions, type Rules } from '../detect/rules.ts';
import type { ReadOther } from '../event/past-view.ts';
import { needCatalogue, ruleOptionsOf } from '../heat/item-rules.ts';
import { createOverrides, overridesOf } from '../heat/overrides.ts';
import { RulesError } from '../heat/parse-rules.ts';
import { createPastEvents, type PastEvents, type PastEventsOptions } from '../heat/past-events.ts';
import { readRules } from '../heat/read-rules.ts';
import { NO_RULES, type RulesFile } from '../heat/rules-schema.ts';
import { type Config, ConfigError } from '../service/config/config.ts';
import { reasonOf } from '../service/log.ts';
import { Trouble } from '../service/trouble.ts';
import { createRecentIds } from '../sidecar/ingest/recent-ids.ts';
import { recordReader } from './record-reader.ts';
import { catalogueOptions } from './wire-catalogue.ts';

const MOST_BAD = 1_000;

/** The rules that views of the past are tried with. */
export type PastRules = {
  cap: number;
  /** With `before`, such as that of a grid, in the place of the defaults. */
  compile(before?: RuleOptions): Rules;
  overrides: NonNullable<BacktestOptions['overrides'] & GridOptions['overrides']>;
};

export type CatalogueFrom = {
  /** The catalogue, if the caller has read it already. */
  catalogue?: Catalogue | undefined;
  /** Called with the bytes of the catalogue that are read. */
  onRead?: (done: number, of: number) => void;
};

/**
 * Of the file at `path`, or the defaults. Rejects with a `ConfigError`, or with a `Trouble` if they need a catalogue that cannot be used.
 */
export async function readPastRules(
  config: Config,
  path: string | undefined,
  from: CatalogueFrom = {},
): Promise<PastRules> {
  const rules = await rulesOf(path, config);
  const catalogue = needCatalogue(rules) ? (from.catalogue ?? (await catalogueOf(config, from))) : undefined;
  const cap = rules.cap ?? config.heat.cap;
  const context = { cap, ...(catalogue !== undefined && { catalogue }) };
  const options = ruleOptionsOf(rules);
  const overrides = createOverrides([]);
  overrides.setFile(overridesOf(rules));
  return {
    cap,
    compile: (before) => compileRules(before === undefined ? options : [before, ...options], context),
    overrides: overrides.pinsAndBans(),
  };
}

/** How many items may be hot at once, by the rules of now. */
export async function capOf(config: Config): Promise<number> {
  const rules = await rulesOf(config.heat.rules, config);
  return rules.cap ?? config.heat.cap;
}

/** Events of the log `source`, also those that do not look like most. */
export function pastEventsOf(
  config: Config,
  source: string,
  options: Pick<PastEventsOptions, 'range' | 'node' | 'observe'>,
): PastEvents {
  return createPastEvents({
    ...options,
    recent: createRecentIds(),
    mostBad: MOST_BAD,
    other: oddReader(config, source),
  });
}

function oddReader(config: Config, source: string): ReadOther {
  const readRecord = recordReader(config);
  let records = 0;
  return (value, received) => {
    const batch = { values: [value], source, position: () => String(records++), time: () => received };
    return readRecord(batch, 0);
  };
}

async function rulesOf(path: string | undefined, { catalogue }: Config): Promise<RulesFile> {
  if (path === undefined) return NO_RULES;
  try {
    return (await readRules(path, { hasCatalogue: catalogue.file !== undefined })).rules;
  } catch (error) {
    throw error instanceof RulesError ? new ConfigError(error.problems, path) : error;
  }
}

/** The catalogue of today, as far as rules depend on it: what it was then is not known. */
async function catalogueOf(config: Config, { onRead }: CatalogueFrom): Promise<Catalogue | undefined> {
  const options = catalogueOptions(config);
  if (options === undefined) return undefined;
  try {
    return (await loadCatalogue({ ...options, ...(onRead && { onRead }) })).items;
  } catch (error) {
    throw new Trouble(
      `the catalogue cannot be used: ${options.path}: ${reasonOf(error)}`,
      'hotitem check says more.',
    );
  }
}
