import type { Config } from '../../service/config/config.ts';
import { type Finding, shellWord } from '../../service/finding.ts';
import { foreignOwner, foreignWriters } from '../../service/ownership.ts';
import { statePlaces } from '../state-places.ts';

/** What other users can do with the existing state of a service. Its owner is the owner of `home`. */
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
        what: `${path} belongs to the user ${foreign.uid}, but home to ${owner}`,
        why: 'a service does not start on files of another user, who could redirect its writes',
        fix: 'check what it is, and chown it to the owner of home',
        command: `chown -h ${owner} ${shellWord(path)}`,
      });
    }
    const target = stats.at(-1);
    if (target !== undefined && foreignWriters(target, owner) !== undefined) {
      findings.push({
        id: 'state-writable',
        severity: 'error',
        what: `${path} ${foreignWriters(target, owner)} (${(target.mode & 0o7777).toString(8).padStart(4, '0')})`,
        why: 'anyone who can change it can change or remove acknowledged events',
        fix: 'remove write access for others',
        command: `chmod go-w ${shellWord(path)}`,
      });
    }
    return findings;
  });
}
