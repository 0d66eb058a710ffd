import { type Finding, placeOf } from '../../service/finding.ts';
import type { Directive } from '../conf/directives.ts';
import { CAPTURE_URI, SUBREQUEST_VARIABLE } from '../conf/include-table.ts';
import { blockAround, childrenOf, nameOf, type Site } from '../conf/site.ts';
import type { Facts } from './facts.ts';
import { installAgain } from './mend.ts';
import { createRerun } from './rerun.ts';

const WHY =
  'nginx runs it again for the subrequest, with the variables of the page: the page may go to another upstream, be cached for others, or lose its view';

/** Rules that nginx runs again for the subrequest, because they are above the lines of server.conf that prevent this. */
export function rerunFindings({ captures, site }: Facts): Finding[] {
  const servers = captures
    .filter(({ transport }) => transport !== 'log')
    .flatMap(({ spot }) => blockAround(spot, 'server') ?? []);
  return [...new Set(servers)].flatMap((server) => inServer(server, site));
}

function inServer(server: Directive, site: Site): Finding[] {
  const children = [...childrenOf(server.block ?? [])];
  const guard = children.findIndex(isGuard);
  // Another rule reports a missing server.conf.
  const ours = children.find(({ name, args }) => name === 'location' && args.at(-1) === CAPTURE_URI);
  if (guard === -1 && ours === undefined) return [];
  if (guard === -1) {
    return [
      {
        id: 'server-conf-old',
        severity: 'error',
        what: `server.conf in ${nameOf(server)} does not protect the subrequest from the rules of that server`,
        where: placeOf(ours ?? server),
        why: WHY,
        fix: 'run hotitem nginx install, which writes the current one; include it first in its server',
        ...installAgain(site),
      },
    ];
  }
  const above = children.slice(0, guard);
  const { harms } = createRerun({ rules: above, server, site });
  return above.filter(harms).map(
    (directive): Finding => ({
      id: 'server-conf-too-late',
      severity: 'error',
      what: `${[directive.name, ...directive.args].join(' ')} is above server.conf in ${nameOf(server)}`,
      where: placeOf(directive),
      why: WHY,
      fix: 'include server.conf first in its server, above any set, if, rewrite or return',
    }),
  );
}

/** `if ($uri = $hotitem_subrequest) { break; }` */
function isGuard({ name, args, block = [] }: Directive): boolean {
  return name === 'if' && args.join(' ').includes(SUBREQUEST_VARIABLE) && block[0]?.name === 'break';
}
