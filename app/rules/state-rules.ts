import type { Config } from '../../service/config/config.ts';
import { type Finding, shellWord } from '../../service/finding.ts';
import { foreignOwner, foreignWriters } from '../../service/ownership.ts';
import { statePlaces } from '../state-places.ts';

/** What others may do with the state of a service that is there. Whose it is, the owner of `home` says. */
export function stateFindings(config: Pick<Config, 'home' | 'spool' | 'duckdb'>): Finding[] {
  const places = statePlaces(config);
  const owner = places.find(({ path }) => path === config.home)?.stats.at(-1)?.uid ?? 0;
  return places.flatMap(({ path, stats }) => {
    const findings: Finding[] = [];
    const foreign = stats.find((stat) => foreignOwner(stat, owner) !== undefined);
    if (foreign !== undefined) {
      findings.push({
        id: 'state-owner',
        severity: 'error',
        what: `${path} belongs to the user ${foreign.uid}, home to ${owner}`,
        why: 'a service does not start on what belongs to another user, who decides where it is written',
        fix: 'look at what it is, and give it to the owner of home',
        command: `chown -h ${owner} ${shellWord(path)}`,
      });
    }
    const target = stats.at(-1);
    if (target !== undefined && foreignWriters(target, owner) !== undefined) {
      findings.push({
        id: 'state-writable',
        severity: 'error',
        what: `${path} ${foreignWriters(target, owner)} (${(target.mode & 0o7777).toString(8).padStart(4, '0')})`,
        why: 'whoever changes it changes or removes events that were acknowledged',
        fix: 'close it to others',
        command: `chmod go-w ${shellWord(path)}`,
      });
    }
    return findings;
  });
}
