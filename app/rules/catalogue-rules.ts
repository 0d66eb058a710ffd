import {
  type CatalogueOptions,
  type LoadedCatalogue,
  loadCatalogue,
  MOST_BAD_ROWS_KEPT,
} from '../../catalogue/load.ts';
import type { Config } from '../../service/config/config.ts';
import type { Finding } from '../../service/finding.ts';
import { reasonOf } from '../../service/log.ts';
import { catalogueOptions } from '../wire-catalogue.ts';
import { unreadableFindings } from './unreadable.ts';

/** What `hotitem check` says about the catalogue. */
export type CatalogueReport = {
  findings: Finding[];
  /** The catalogue in a line; empty if none is configured, or if it cannot be used. */
  summary: string;
};

/** Loads the catalogue as a service does. Each of the first bad rows is a finding at its line. */
export async function catalogueReport(
  config: Pick<Config, 'catalogue' | 'home'>,
  onRead?: CatalogueOptions['onRead'],
): Promise<CatalogueReport> {
  const options = catalogueOptions(config);
  if (options === undefined) return { findings: [], summary: '' };
  const { path } = options;
  try {
    const loaded = await loadCatalogue({ ...options, ...(onRead !== undefined && { onRead }) });
    const findings = [
      ...unreadableFindings(path, config.home, 'catalogue-unreadable', UNREADABLE),
      ...columnFindings(path, loaded),
      ...findingsOf(path, loaded),
    ];
    return { findings, summary: summaryOf(path, loaded) };
  } catch (error) {
    const problem: Finding = {
      id: 'catalogue',
      severity: 'error',
      what: `the catalogue cannot be used: ${reasonOf(error)} (catalogue.file: ${path})`,
      why: 'a running service keeps the catalogue that it has; after a restart, items have no names, and catalogue_only in rules has no effect',
      fix: 'correct the file, or its permissions',
    };
    return { findings: [problem], summary: '' };
  }
}

function columnFindings(path: string, { columnProblems }: LoadedCatalogue): Finding[] {
  return columnProblems.map((problem) => ({
    id: 'catalogue-column',
    severity: 'warning',
    what: `catalogue ${path}: ${problem}`,
    why: 'what nothing reads is not shown: a misspelt column is the same as none',
    fix: 'rename it in the file, or set catalogue.columns to what the file calls it',
  }));
}

function findingsOf(path: string, { badRows, rejected }: LoadedCatalogue): Finding[] {
  const row = { id: 'catalogue-row', severity: 'warning', why: WHY } as const;
  const named: Finding[] = badRows.map(({ line, problem }) => ({
    ...row,
    what: problem,
    where: { file: path, line },
    fix: 'correct the row',
  }));
  if (rejected <= badRows.length) return named;
  const what = `${rejected - badRows.length} rows more are left out; the first ${MOST_BAD_ROWS_KEPT} are shown`;
  return [...named, { ...row, what, fix: 'correct those first, and run this again' }];
}

const UNREADABLE = 'a service that cannot read it has no catalogue';
const WHY = 'this row of the catalogue is left out: its item has no name, and counts as none of the shop';

function summaryOf(path: string, { items, rejected, droppedImages }: LoadedCatalogue): string {
  const images = droppedImages === 0 ? '' : `, ${droppedImages} images are not shown (catalogue.image_hosts)`;
  return `catalogue ${path}: ${items.rows} items in ${Math.ceil(items.bytes / 1024 / 1024)} MiB, ${rejected} rows left out${images}`;
}
