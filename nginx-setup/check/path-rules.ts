import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Finding, type Place, placeOf, shellWord } from '../../service/finding.ts';
import type { Directive } from '../conf/directives.ts';
import { blockAround, childOf, inherited, type Spot } from '../conf/site.ts';
import { obstacle } from '../conf/worker.ts';
import { breakerFindings } from './breaker-rules.ts';
import type { Facts } from './facts.ts';
import { lineFormats, writesLine } from './log-rules.ts';
import { installAgain } from './mend.ts';
import { upstreamOf } from './upstream-rules.ts';

/** What stands in the way on this machine: the socket, the folders, the breaker's port. Looks, and asks the breaker once. */
export async function pathFindings(facts: Facts): Promise<Finding[]> {
  const upstream = upstreamOf(facts);
  const where = upstream && placeOf(upstream.spot.directive);
  const parts = await Promise.all([
    unknownWorker(facts),
    upstream?.socket && where ? socketFindings(facts, upstream.socket, where) : [],
    upstream?.breaker && where ? breakerFindings(facts, upstream.breaker, where) : [],
    folderFindings(facts),
  ]);
  return parts.flat();
}

function unknownWorker({ worker, site }: Facts): Finding[] {
  if (worker.ids !== undefined) return [];
  const user = site.spots.find(({ directive }) => directive.name === 'user');
  return [
    {
      id: 'worker-user-unknown',
      severity: 'error',
      what: `there is no user ${worker.name} for nginx's workers`,
      ...(user && { where: placeOf(user.directive) }),
      why: 'nginx does not start as root without it, and what they may write could not be checked',
      fix: 'name a user of this machine: user www-data;',
    },
  ];
}

async function socketFindings({ worker }: Facts, socket: string, where: Place): Promise<Finding[]> {
  const found = await stat(socket).catch(() => undefined);
  const barrier = worker.ids && (await obstacle(worker.ids, socket, ['write']));
  if (found === undefined) {
    return [
      ...(barrier === undefined ? [] : [notWritable(barrier)]),
      {
        id: 'socket-not-there',
        severity: 'note',
        what: `${socket} is not there, or hidden from you`,
        where,
        why: 'the sidecar does not run: views are spilled until it does',
        fix: 'hotitem sidecar, or hotitem status to see how it is',
      },
    ];
  }
  if (!found.isSocket()) {
    return [
      {
        id: 'socket-is-none',
        severity: 'error',
        what: `${socket} is no socket`,
        where,
        why: 'the sidecar cannot listen there and nginx cannot reach it',
        fix: 'move that file away and start the sidecar',
      },
    ];
  }
  return barrier === undefined ? [] : [notWritable(barrier)];

  function notWritable(barrier: string): Finding {
    return {
      id: 'socket-not-writable',
      severity: 'error',
      what: `nginx's workers (${worker.name}) cannot use ${socket}`,
      where,
      why: `${barrier} does not let them; all views are spilled`,
      fix: `intake.socket_group: a group of ${worker.name}, so that it stays after a restart; and that group may enter the folders above`,
      ...openTo(worker, socket, barrier, 'g+rw'),
    };
  }
}

/** The folders that nginx writes lines into, by the access_log lines that write them. */
async function folderFindings(facts: Facts): Promise<Finding[]> {
  const { site } = facts;
  const formats = lineFormats(site);
  if (site.ours.some(({ name }) => name === 'off.conf')) return [];
  const lines = site.spots.filter(
    ({ directive }) => writesLine(directive, formats) && directive.args[0]?.startsWith('/'),
  );
  // Where a line is written: a location with its own access_log, or, for the transport log, where the view ends.
  const roots = [
    ...lines.filter(
      ({ directive, around }) => directive.args[0]?.includes('$') && around.at(-1)?.name === 'location',
    ),
    ...facts.captures
      .filter(({ transport, how }) => transport === 'log' && how === 'in place')
      .map(({ spot }) => spot),
  ];
  const each = await Promise.all([
    ...lines.map((spot) => folderOf(facts, spot)),
    ...roots.map((spot) => rootOf(facts, spot)),
  ]);
  return each.flat();
}

async function folderOf({ worker, sidecar, site }: Facts, { directive }: Spot): Promise<Finding[]> {
  const target = directive.args[0] ?? '';
  const folder = target.slice(0, Math.max(target.split('$')[0]?.lastIndexOf('/') ?? 0, 1));
  const where = placeOf(directive);
  const found = await stat(target.includes('$') ? folder : target).catch(() => undefined);
  if (!target.includes('$') && isPipe(found)) {
    return [
      {
        id: 'line-to-pipe',
        severity: 'error',
        what: `our line is written to the pipe ${target}`,
        where,
        why: 'a pipe that nobody empties stops the worker, and all its pages',
        fix: 'write it to a file of the spill folder, as log.conf does',
      },
    ];
  }
  const findings: Finding[] = [];
  if (folder !== sidecar.spill) {
    findings.push({
      id: 'spill-differs',
      severity: 'error',
      what: `nginx writes lines into ${folder}, the sidecar looks into ${sidecar.spill}`,
      where,
      why: 'what is written there is never taken in',
      fix: "write the includes with the sidecar's configuration, or change spill.dir",
      ...installAgain(site),
    });
  }
  const barrier = worker.ids && (await obstacle(worker.ids, folder, ['write', 'enter']));
  if (barrier !== undefined) {
    findings.push({
      id: 'spill-not-writable',
      severity: 'error',
      what: `nginx's workers (${worker.name}) cannot write into ${folder}`,
      where,
      why: `${barrier} does not let them; what should be written there is lost`,
      fix: `give the folder to a group of ${worker.name}, and let that group enter those above`,
      ...openTo(worker, folder, barrier, 'g+rwxs'),
    });
  }
  return findings;
}

/** The command that opens a path to the workers' group, where it is that path which keeps them out and none above it. */
function openTo({ ids }: Facts['worker'], path: string, barrier: string, mode: string): { command?: string } {
  const [gid] = ids?.gids ?? [];
  if (gid === undefined || !barrier.startsWith(`${path} `)) return {};
  return { command: `chgrp ${gid} ${shellWord(path)} && chmod ${mode} ${shellWord(path)}` };
}

function isPipe(found: Stats | undefined): boolean {
  return found?.isFIFO() ?? false;
}

/** nginx looks for the root before it writes to a file with a variable in its name. */
async function rootOf({ build }: Facts, spot: Spot): Promise<Finding[]> {
  const set = rootAt(spot);
  const root = resolve(build.prefix, set?.args[0] ?? 'html');
  if (root.includes('$') || (await stat(root).catch(() => undefined)) !== undefined) return [];
  return [
    {
      id: 'root-missing',
      severity: 'error',
      what: `the root ${root} is not there`,
      where: placeOf(set ?? spot.directive),
      why: 'nginx then writes nothing into a file whose name holds a variable: spilled views are lost',
      fix: 'make that folder (the sidecar makes the spill folder when it starts), or name one that exists',
    },
  ];
}

function rootAt(spot: Spot): Directive | undefined {
  return childOf(blockAround(spot, 'location'), 'alias') ?? inherited(spot, 'root');
}
