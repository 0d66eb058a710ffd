import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Finding, type Place, placeOf, shellWord } from '../../service/finding.ts';
import type { Directive } from '../conf/directives.ts';
import { SHARED_FORMAT } from '../conf/include-table.ts';
import { blockAround, childOf, inherited, type OurInclude, type Spot } from '../conf/site.ts';
import { obstacle } from '../conf/worker.ts';
import { breakerFindings } from './breaker-rules.ts';
import type { Facts } from './facts.ts';
import { lineFormats, writesLine } from './log-rules.ts';
import { installAgain } from './mend.ts';
import { upstreamOf } from './upstream-rules.ts';

/** Obstacles on this host: the socket, the folders, the breaker's port. Changes nothing; sends the breaker one request. */
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
      what: `the user of nginx's workers, ${worker.name}, does not exist`,
      ...(user && { where: placeOf(user.directive) }),
      why: "nginx does not start as root without it, and the workers' permissions could not be checked",
      fix: 'set an existing user: user www-data;',
    },
  ];
}

async function socketFindings({ worker, sidecar }: Facts, socket: string, where: Place): Promise<Finding[]> {
  const found = await stat(socket).catch(() => undefined);
  const barrier = worker.ids && (await obstacle(worker.ids, socket, ['write']));
  const closed = worker.ids && (await obstacle(worker.ids, sidecar.spill, ['write', 'enter']));
  const meanwhile = closed === undefined ? 'spilled' : 'lost, as they cannot be spilled either';
  if (found === undefined) {
    return [
      ...(barrier === undefined ? [] : [notWritable(barrier)]),
      {
        id: 'socket-not-there',
        severity: 'note',
        what: `${socket} does not exist, or you cannot see it`,
        where,
        why: `the sidecar is not running: until it is, views are ${meanwhile}`,
        fix: 'start hotitem sidecar; hotitem status shows its state',
      },
    ];
  }
  if (!found.isSocket()) {
    return [
      {
        id: 'socket-is-none',
        severity: 'error',
        what: `${socket} is not a socket`,
        where,
        why: 'the sidecar cannot listen there and nginx cannot reach it',
        fix: 'move that file and start the sidecar',
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
      why: `${barrier} denies it; all views are ${meanwhile}`,
      fix: `set intake.socket_group to a group of ${worker.name} and restart the sidecar (a chgrp of the socket lasts until its next start); that group needs x on the parent folders`,
      ...openTo(worker, socket, barrier, 'g+rw'),
    };
  }
}

/** The folders that nginx writes lines into, found by their access_log lines. */
async function folderFindings(facts: Facts): Promise<Finding[]> {
  const { site } = facts;
  const formats = new Set([...lineFormats(site), SHARED_FORMAT]);
  if (site.ours.some(({ name }) => name === 'off.conf')) return [];
  const lines = site.spots.filter(
    ({ directive }) => writesLine(directive, formats) && directive.args[0]?.startsWith('/'),
  );
  // A line is written by a location with its own access_log, or, for the transport log, in the location in which the view ends.
  const roots = [
    ...lines.filter(
      ({ directive, around }) => directive.args[0]?.includes('$') && around.at(-1)?.name === 'location',
    ),
    ...facts.captures
      .filter(({ transport, how }) => transport === 'log' && how === 'in place')
      .map(({ spot }) => spot),
    ...(lines.some(({ directive }) => directive.args[1] === SHARED_FORMAT) ? site.ours.filter(shares) : []),
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
        what: `hotitem's line is written to the pipe ${target}`,
        where,
        why: 'a pipe that is not read blocks the worker, and all its pages',
        fix: 'write it to a file in the spill folder, as log.conf does',
      },
    ];
  }
  const findings: Finding[] = [];
  if (folder !== sidecar.spill) {
    findings.push({
      id: 'spill-differs',
      severity: 'error',
      what: `nginx writes lines to ${folder}, but the sidecar reads ${sidecar.spill}`,
      where,
      why: 'lines written there are never ingested',
      fix: "write the includes with the sidecar's configuration, or change spill.dir",
      ...installAgain(site),
    });
  }
  const barrier = worker.ids && (await obstacle(worker.ids, folder, ['write', 'enter']));
  if (barrier !== undefined) {
    findings.push({
      id: 'spill-not-writable',
      severity: 'error',
      what: `nginx's workers (${worker.name}) cannot write to ${folder}`,
      where,
      why: `${barrier} denies it; views that should be written there are lost`,
      fix: `chgrp the folder to a group of ${worker.name}; that group needs x on its parent folders`,
      ...openTo(worker, folder, barrier, 'g+rwxs'),
    });
  }
  return findings;
}

function shares({ name }: OurInclude): boolean {
  return name === 'cache.conf' || name === 'cache-fastcgi.conf';
}

/** The command that opens a path to the workers' group. Undefined if a folder above it is the obstacle. */
function openTo({ ids }: Facts['worker'], path: string, barrier: string, mode: string): { command?: string } {
  const [gid] = ids?.gids ?? [];
  if (gid === undefined || !barrier.startsWith(`${path} `)) return {};
  return { command: `chgrp ${gid} ${shellWord(path)} && chmod ${mode} ${shellWord(path)}` };
}

function isPipe(found: Stats | undefined): boolean {
  return found?.isFIFO() ?? false;
}

/** nginx checks that the root exists before it writes to a file with a variable in its name. */
async function rootOf({ build, sidecar }: Facts, spot: Spot): Promise<Finding[]> {
  const set = rootAt(spot);
  const root = resolve(build.prefix, set?.args[0] ?? 'html');
  if (root.includes('$') || (await stat(root).catch(() => undefined)) !== undefined) return [];
  // The includes name it as the root of their own locations.
  const isMadeBySidecar = root === resolve(sidecar.spill);
  return [
    {
      id: 'root-missing',
      severity: isMadeBySidecar ? 'note' : 'error',
      what: `the root ${root} does not exist`,
      where: placeOf(set ?? spot.directive),
      why: 'nginx then writes nothing to a file with a variable in its name, and an error for each line: such lines are lost',
      fix: isMadeBySidecar
        ? 'start the sidecar: it creates this folder'
        : 'create that folder, or name an existing one',
    },
  ];
}

function rootAt(spot: Spot): Directive | undefined {
  return childOf(blockAround(spot, 'location'), 'alias') ?? inherited(spot, 'root');
}
