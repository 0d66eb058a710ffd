import { type Finding, placeOf } from '../../service/finding.ts';
import type { Directive } from '../conf/directives.ts';
import { blockAround, inherited, nameOf, type Site, type Spot } from '../conf/site.ts';
import type { Capture } from './captures.ts';
import type { Facts } from './facts.ts';

/** Directives of the shop that our locations inherit and cannot switch off. */
export function inheritedFindings({ site, captures }: Facts): Finding[] {
  const scripted = captures.filter(({ transport }) => transport !== 'log');
  const logged = captures.filter(({ transport }) => transport === 'log');
  return [...proxied(site), ...watched(site, scripted), ...logged.flatMap(unlinked), ...limited(site)];
}

/** Some versions with the njs engine do not know `js_fetch_proxy`, so fetch-njs.conf cannot switch it off. */
function proxied({ spots, ours }: Site): Finding[] {
  const batch = ours.find(({ name }) => name === 'http-batch.conf');
  const set = spots.find(
    ({ directive, around }) => directive.name === 'js_fetch_proxy' && around.at(-1)?.name === 'http',
  );
  if (batch === undefined || set === undefined) return [];
  if (!ours.some(({ name }) => name === 'fetch-njs.conf')) return [];
  return [
    {
      id: 'views-to-proxy',
      severity: 'error',
      what: `js_fetch_proxy ${set.directive.args.join(' ')} also applies to http-batch.conf`,
      where: placeOf(set.directive),
      why: "all views, including visitors' addresses, are sent to that proxy instead of the sidecar",
      fix: 'move js_fetch_proxy into the servers or locations that need it, or run hotitem nginx install --engine qjs',
    },
  ];
}

/** Directives of third parties that run for each request of their block, also for our subrequest. */
const WATCHERS =
  /^(?:(?:server_)?rewrite_by_lua|header_filter_by_lua|body_filter_by_lua|log_by_lua)|^modsecurity$|^passenger_enabled$/;

function watched({ spots }: Site, captures: Capture[]): Finding[] {
  const servers = new Set(captures.map(({ spot }) => blockAround(spot, 'server')));
  return spots.filter(isWatcher).map(
    ({ directive }): Finding => ({
      id: 'sees-the-subrequest',
      severity: 'warning',
      what: `${directive.name} also runs for the subrequest of each view`,
      where: placeOf(directive),
      why: 'it runs for /_hotitem/capture, /_hotitem/spill and @hotitem_spill with the variables of the page: it counts requests twice, and views that it rejects are lost',
      fix: 'move it into the locations that need it, or make it return at once if the URI begins with /_hotitem/',
    }),
  );

  function isWatcher({ directive, around }: Spot): boolean {
    const block = around.at(-1);
    if (!WATCHERS.test(directive.name) || directive.args[0] === 'off') return false;
    return captures.length > 0 && (block?.name === 'http' || (block !== undefined && servers.has(block)));
  }
}

/** With `disable_symlinks` nginx writes no file with a variable in its name below a symbolic link, and may not find the root either. */
function unlinked({ spot, location }: Capture): Finding[] {
  const set = inherited(spot, 'disable_symlinks');
  if (set === undefined || set.args[0] === 'off') return [];
  return [
    {
      id: 'symlinks-disabled',
      severity: 'error',
      what: `disable_symlinks ${set.args.join(' ')} in ${location}, which captures by log`,
      where: placeOf(set),
      why: 'nginx then writes no lines for pages that are not files, and none at all if the spill folder is behind a link',
      fix: 'set disable_symlinks off; in that location, or capture by batch or subrequest',
    },
  ];
}

/** log-limit.conf tests for a file, and nginx answers from the open file cache of the server. */
function limited({ ours }: Site): Finding[] {
  return ours
    .filter(({ name }) => name === 'log-limit.conf')
    .flatMap(({ around }): Finding[] => {
      const cache: Directive | undefined = inherited({ around }, 'open_file_cache');
      const server = around.at(-1);
      if (cache === undefined || cache.args[0] === 'off') return [];
      return [
        {
          id: 'full-is-cached',
          severity: 'warning',
          what: `open_file_cache in ${server === undefined ? 'http' : nameOf(server)} also applies to log-limit.conf`,
          where: placeOf(cache),
          why: 'the full folder is cached for open_file_cache_valid (60 s by default): views are dropped although there is space again',
          fix: 'move open_file_cache into the locations that serve files',
        },
      ];
    });
}
