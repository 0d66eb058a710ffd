// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';
import { oneIn } from './one-in.ts';
import { isPlainFile, isThere } from './plain-file.ts';
import { askSidecar } from './sidecar.ts';
import { eventsZone } from './zones.ts';

const NAMES = [
  'started',
  'instance',
  'version',
  'flushed',
  'handed',
  'diverted',
  'spilled',
  'dropped',
  'fulls',
  'spill_barred',
];
const LEFT = /^report-(\d{1,15})$/;
/** A report, as `reportOf` creates it. */
const REPORT = /^[a-z_]+=\d+(&[a-z_]+=\d+)*$/;
const LONGEST = 1_000;
const MOST_AT_ONCE = 16;
const FILE_MODE = 0o644;

/** The counters of this nginx, as the query of a poll. */
export function reportOf(counters: NgxSharedDict<number>): string {
  const events = eventsZone();
  const counted = NAMES.map((name) => `${name}=${counters.get(name) || 0}`).join('&');
  return `waiting=${events ? events.size() : 0}&${counted}`;
}

/**
 * The state of a running nginx, sent with it. `one_in`: how many views a captured one represents, 0 if none is captured. `off`: off.conf is
 * included, so none is captured. `release`: the version of its includes.
 */
export function standingOf(session: NginxPeriodicSession, counters: NgxSharedDict<number>): string {
  const variables = session.variables;
  const told = counters.get('one_in');
  const n = Math.abs(told === undefined ? oneIn(variables.hotitem_mode_default) : told);
  const off = variables.hotitem_off === '1' ? 1 : 0;
  return `one_in=${n}&off=${off}&release=${variables.hotitem_release || ''}`;
}

/**
 * Sends the last report of an exiting nginx to the sidecar, or writes it to a file in the spill folder if the sidecar is unavailable. The
 * next nginx delivers that file, so that views spilled since the previous report are counted. Returns the report. Never rejects.
 */
export async function reportLast(
  session: NginxPeriodicSession,
  counters: NgxSharedDict<number>,
): Promise<string> {
  const report = reportOf(counters);
  const path = `${folderOf(session)}/report-${counters.get('instance') || 0}`;
  try {
    if (counters.get('away') !== undefined) throw new Error('the sidecar is unavailable');
    await tell(session, report);
    // An older one, left when the sidecar did not answer.
    remove(path);
  } catch {
    leave(path, report);
  }
  return report;
}

/** Delivers the report that another nginx left. Rejects if the sidecar does not answer; the file then stays. */
export async function reportPast(
  session: NginxPeriodicSession,
  counters: NgxSharedDict<number>,
): Promise<void> {
  const names = leftIn(folderOf(session));
  for (let i = 0; i < names.length && i < MOST_AT_ONCE; i++) {
    const name = names[i] as string;
    const path = `${folderOf(session)}/${name}`;
    // After a reload, this nginx continues the counters.
    const report = readReport(path);
    if (report && name !== `report-${counters.get('instance')}`) await tell(session, report);
    remove(path);
  }
}

function tell(session: NginxPeriodicSession, report: string): Promise<Response> {
  return askSidecar(session, { method: 'GET', path: `/v1/control?wait=0&${report}` });
}

/** Undefined for a foreign file: any process of the workers' user can write to this folder. */
function readReport(path: string): string | undefined {
  if (!isPlainFile(path) || fs.lstatSync(path).size > LONGEST) return undefined;
  const report = fs.readFileSync(path, 'utf8');
  return REPORT.test(report) ? report : undefined;
}

/** A folder with this name stays, and does no harm. */
function remove(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch {}
}

function leave(path: string, report: string): void {
  try {
    if (isPlainFile(path) || !isThere(path)) fs.writeFileSync(path, report, { mode: FILE_MODE });
  } catch {
    // The folder is not writable, which is already reported. The loss shows when the next nginx reports.
  }
}

function leftIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder).filter((name) => LEFT.test(name));
  } catch {
    return [];
  }
}

function folderOf(session: NginxPeriodicSession): string {
  return session.variables.hotitem_spill_folder || '';
}
