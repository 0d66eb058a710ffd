import { type Finding, placeOf } from '../../service/finding.ts';
import type { Facts } from './facts.ts';

/** nginx's default. */
const CONNECTIONS = 512;
/** The default soft limit of open files under Linux and systemd. */
const USUAL_LIMIT = 1024;
/** Files per connection: the connection, and the file or upstream connection that it needs. */
const EACH = 2;

/** Whether a worker can still open the file that it writes lines to when all its connections are in use. */
export function workerFindings({ site, captures }: Facts): Finding[] {
  if (captures.length === 0) return [];
  const connections = site.spots.find(({ directive }) => directive.name === 'worker_connections')?.directive;
  const set = site.spots.find(({ directive }) => directive.name === 'worker_rlimit_nofile')?.directive;
  const most = Number(connections?.args[0] ?? CONNECTIONS);
  const limit = Number(set?.args[0] ?? USUAL_LIMIT);
  if (!(limit < most * EACH)) return [];
  const where = set ?? connections;
  return [
    {
      id: 'few-descriptors',
      severity: captures.some(({ transport }) => transport === 'log') ? 'warning' : 'note',
      what: `a worker may open ${limit} files${set === undefined ? ' (the default limit)' : ''} and has ${most} connections`,
      ...(where && { where: placeOf(where) }),
      why: "at that limit it cannot open the file of this minute: views of the log transport, and spilled ones, are lost, with an error in nginx's log only",
      fix: `set worker_rlimit_nofile ${most * EACH * 2}; at the top of nginx.conf`,
    },
  ];
}
