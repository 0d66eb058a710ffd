import { readFileSync } from 'node:fs';

/** The number of a group given by name or number. Throws when there is none of that name. */
export function groupId(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const entry = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${group}:`));
  if (entry === undefined) throw new Error(`intake.socket_group: no such group (got ${group})`);
  return Number(entry.split(':')[2]);
}
