import { loadCatalogue } from '../catalogue/load.ts';
import type { BacktestOptions, GridOptions } from '../detect/backtest.ts';
import { type Catalogue, compileRules, type RuleOptions, type Rules } from '../detect/rules.ts';
import type { ReadOther } from '../event/past-view.ts';
import { needCatalogue, ruleOptionsOf } from '../heat/item-rules.ts';
import { createOverrides, overridesOf } from '../heat/overrides.ts';
import { RulesError } from '../heat/parse-rules.ts';
import { readRules } from '../heat/read-rules.ts';
import { NO_RULES, type RulesFile } from '../heat/rules-schema.ts';
import { type Config, ConfigError } from '../service/config/config.ts';
import { reasonOf } from '../service/log.ts';
import { Trouble } from '../service/trouble.ts';
import { recordReader } from './record-reader.ts';
import { catalogueOptions } from './wire-catalogue.ts';

/** The rules that views of the past are tried with. */
export type PastRules = {
  cap: number;
  /** With `before`, such as that of a grid, in the place of the defaults. */
  compile(before?: RuleOptions): Rules;
  overrides: NonNullable<BacktestOptions['overrides'] & GridOptions['overrides']>;
};

/**
 * Of the file at `path`, or the defaults; `onRead` is told the bytes of the catalogue that are read, if they need it. Rejects with a
 * `ConfigError`, or with a `Trouble` if they need a catalogue that cannot be used.
 */
export async function readPastRules(
  config: Config,
  path: string | undefined,
  onRead: (done: number, of: number) => void = () => {},
): Promise<PastRules> {
  const rules = await rulesOf(path, config);
  const catalogue = needCatalogue(rules) ? await catalogueOf(config, onRead) : undefined;
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

/** Reads what of the log `source` does not look like most of its events. */
export function oddReader(config: Config, source: string): ReadOther {
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
async function catalogueOf(
  config: Config,
  onRead: (done: number, of: number) => void,
): Promise<Catalogue | undefined> {
  const options = catalogueOptions(config);
  if (options === undefined) return undefined;
  try {
    return (await loadCatalogue({ ...options, onRead })).items;
  } catch (error) {
    throw new Trouble(
      `the catalogue cannot be used: ${options.path}: ${reasonOf(error)}`,
      'hotitem check says more.',
    );
  }
}
