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

/** What to do about it, where somebody may not give a file or folder to that group; any other error as it is. */
export function explainGroup(error: unknown, group: string): unknown {
  const isDenied = typeof error === 'object' && error !== null && 'code' in error && error.code === 'EPERM';
  if (!isDenied) return error;
  return new Error(
    `intake.socket_group: the user of the sidecar is not in that group (got ${group}). usermod --append --groups ${group} USER, then start it again`,
    { cause: error },
  );
}
