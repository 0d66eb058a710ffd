import { basename } from 'node:path';
import { type Finding, placeOf } from '../../service/finding.ts';
import { isPattern } from '../conf/configuration.ts';
import { nameOf, type OurInclude, type Site } from '../conf/site.ts';
import type { Facts } from './facts.ts';

/** Directives that nginx rejects below the first `map`. */
const ABOVE_MAPS = ['map_hash_max_size', 'map_hash_bucket_size'];

/** Whether the includes, and the directives that must be above them, are in an order that nginx accepts. */
export function orderFindings({ site }: Facts): Finding[] {
  return [...byPattern(site), ...tooLate(site), ...belowMaps(site)];
}

/** After `hotitem nginx install --dir /etc/nginx/conf.d`: one include brings in files for http, server and location at once. */
function byPattern({ ours }: Site): Finding[] {
  const swept = ours.filter(({ directive }) => isPattern(basename(directive.args[0] ?? '')));
  const first = swept[0];
  // privacy.con[f] and the like are ours, and match one file.
  if (first === undefined || swept.length < 2) return [];
  return [
    {
      id: 'include-by-pattern',
      severity: 'error',
      what: `include ${first.directive.args[0]} includes all ${swept.length} files of hotitem at once`,
      where: placeOf(first.directive),
      why: 'they belong to different blocks (http, server, location): nginx rejects them together',
      fix: "run hotitem nginx install --dir /etc/nginx/hotitem, and remove hotitem's files from that folder",
    },
  ];
}

/** nginx knows a log_format and a zone only below the line that defines it. */
function tooLate({ ours }: Site): Finding[] {
  const definer = ours.find(({ include }) => include.alone);
  if (definer === undefined) return [];
  const early = ours.slice(0, ours.indexOf(definer)).find(needsIt);
  if (early === undefined) return [];
  const block = early.around.findLast(({ name }) => name === 'server') ?? early.directive;
  return [
    {
      id: 'include-too-late',
      severity: 'error',
      what: `${definer.name} is below ${nameOf(block)}, which needs it`,
      where: placeOf(definer.directive),
      why: `nginx reads from top to bottom, and does not know its formats and zones yet in ${early.name} (${early.directive.file}:${early.directive.line}): unknown log format`,
      fix: `move "include ${definer.directive.args[0]}" to the top of the http block, above the include of your sites`,
    },
  ];

  // Variables may be defined anywhere.
  function needsIt({ name, include }: OurInclude): boolean {
    if (name.endsWith('hot.conf') || name === 'http-protect.conf') return false;
    return include.requires?.some((need) => need.oneOf.includes(definer?.name ?? '')) ?? false;
  }
}

function belowMaps({ spots, ours }: Site): Finding[] {
  const first = ours.find(({ include }) => include.alone);
  if (first === undefined) return [];
  const at = spots.findIndex(({ directive }) => directive === first.directive);
  return spots
    .slice(at)
    .filter(({ directive }) => ABOVE_MAPS.includes(directive.name))
    .map(({ directive }) => ({
      id: 'below-a-map',
      severity: 'error',
      what: `${directive.name} is below ${first.name}`,
      where: placeOf(directive),
      why: `${first.name} defines maps, and nginx reports a duplicate if it is below the first map`,
      fix: `move it above "include ${first.directive.args[0]}"`,
    }));
}
