import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import type { CatalogueItems } from '../catalogue/items.ts';
import type { BadRow, CatalogueOptions, LoadedCatalogue } from '../catalogue/load.ts';
import { CATALOGUE_METRICS } from '../catalogue/metrics.ts';
import { watchCatalogue } from '../catalogue/watch.ts';
import type { CatalogueLookup } from '../event/catalogue-item.ts';
import type { Config } from '../service/config/config.ts';
import type { Log } from '../service/log.ts';
import { createMetrics } from '../service/metrics.ts';
import type { Shutdown } from '../service/shutdown.ts';

/** The catalogue of a process. Without `catalogue.file` it has no items. */
export type Catalogue = {
  lookUp: CatalogueLookup;
  /** The items in effect; undefined while there are none. Another object after each load. */
  items(): CatalogueItems | undefined;
  /** Resolves when the first attempt to load the file is over, or takes too long. */
  tried: Promise<void>;
  /** Calls `listener` for each catalogue that takes effect from now on. */
  onLoaded(listener: () => void): void;
  /** Undefined if no file is configured. */
  state(): CatalogueState | undefined;
};

/** A summary, for `hotitem status`. */
export type CatalogueState = {
  rows: number;
  rejected: number;
  droppedImages: number;
  /** When the file in effect was written, ms since 1970; absent while there is none. */
  modified?: number;
  /** True after a start until the file was loaded, or could not be used; absent afterwards. */
  loading?: true;
  /** Why the current file is not in effect; absent if it is. */
  failure?: string;
};

/** What starts at its side waits no longer for the first load. */
const LONGEST_WAIT_MS = 30_000;
const LOGGED_ROWS = 5;

const NONE: Catalogue = {
  lookUp: () => undefined,
  items: () => undefined,
  tried: Promise.resolve(),
  onLoaded() {},
  state: () => undefined,
};

export type CatalogueParts = {
  config: Pick<Config, 'catalogue'>;
  log: Log;
  registry: Registry;
  shutdown: Shutdown;
  now: () => number;
  warn: (key: string, message: string, fields?: object) => void;
};

/** Loads the configured catalogue, and replaces it when its file changes. */
export function wireCatalogue({ config, log, registry, shutdown, now, warn }: CatalogueParts): Catalogue {
  const options = catalogueOptions(config);
  if (options === undefined) return NONE;
  const { path: file } = options;
  const metrics = createMetrics(registry, CATALOGUE_METRICS);
  const listeners: (() => void)[] = [];
  /** What was said about the columns of the file before: an export has the same ones each time. */
  let said = '';
  const watch = watchCatalogue({
    ...options,
    onLoaded(loaded) {
      metrics.of('catalogue_loads_total', { outcome: 'loaded' }).add();
      log.info({ file, ...summaryOf(loaded) }, 'the catalogue is loaded');
      tellColumns(loaded.columnProblems);
      for (const listener of listeners) listener();
    },
    onFailure(reason) {
      metrics.of('catalogue_loads_total', { outcome: 'failed' }).add();
      const stays = watch.loaded() === undefined ? 'there is none' : 'the one before it stays in effect';
      warn(`catalogue ${reason}`, `the catalogue cannot be used; ${stays}`, { file, reason });
    },
  });
  metrics.of('catalogue_rows').follow(() => watch.loaded()?.items.rows ?? 0);
  metrics.of('catalogue_rejected_rows').follow(() => watch.loaded()?.rejected ?? 0);
  metrics.of('catalogue_dropped_images').follow(() => watch.loaded()?.droppedImages ?? 0);
  metrics.of('catalogue_bytes').follow(() => watch.loaded()?.items.bytes ?? 0);
  metrics.of('catalogue_age_seconds').follow(() => {
    const modified = watch.loaded()?.modified;
    return modified === undefined ? 0 : (now() - modified) / 1_000;
  });
  metrics.of('catalogue_failed').follow(() => (watch.failure() === undefined ? 0 : 1));
  metrics.of('catalogue_loading').follow(() => (watch.loading() ? 1 : 0));
  shutdown.add('catalogue', () => watch.close());
  return {
    lookUp: (item) => watch.loaded()?.items.get(item),
    items: () => watch.loaded()?.items,
    tried: Promise.race([watch.tried, sleep(LONGEST_WAIT_MS, undefined, { ref: false })]),
    onLoaded: (listener) => void listeners.push(listener),
    state,
  };

  function tellColumns(problems: string[]): void {
    const words = problems.join('; ');
    if (words !== said && words !== '')
      log.warn({ file, columns: problems }, `columns of the catalogue look misspelt: ${words}`);
    said = words;
  }

  function state(): CatalogueState {
    const loaded = watch.loaded();
    const failure = watch.failure();
    return {
      rows: loaded?.items.rows ?? 0,
      rejected: loaded?.rejected ?? 0,
      droppedImages: loaded?.droppedImages ?? 0,
      ...(watch.loading() && { loading: true as const }),
      ...(loaded !== undefined && { modified: loaded.modified }),
      ...(failure !== undefined && { failure }),
    };
  }
}

/** The part of the accounting that is about the catalogue. */
export function catalogueAccount({ state }: Catalogue): { catalogue?: CatalogueState } {
  const known = state();
  return known === undefined ? {} : { catalogue: known };
}

/** How the configured catalogue is read; undefined if none is. */
export function catalogueOptions({ catalogue }: Pick<Config, 'catalogue'>): CatalogueOptions | undefined {
  const { file: path, columns, image_hosts: imageHosts, memory_mb } = catalogue;
  return path === undefined ? undefined : { path, columns, imageHosts, mostBytes: memory_mb * 1024 * 1024 };
}

function summaryOf({ items, rejected, badRows, droppedImages }: LoadedCatalogue) {
  return { rows: items.rows, rejected, droppedImages, ...(rejected > 0 && { badRows: wordsOf(badRows) }) };
}

function wordsOf(badRows: BadRow[]): string[] {
  return badRows.slice(0, LOGGED_ROWS).map(({ line, problem }) => `line ${line}: ${problem}`);
}
