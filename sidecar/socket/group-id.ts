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

/** Adds a hint if the user cannot give a file or folder to that group; any other error is unchanged. */
export function explainGroup(error: unknown, group: string): unknown {
  const isDenied = typeof error === 'object' && error !== null && 'code' in error && error.code === 'EPERM';
  if (!isDenied) return error;
  return new Error(
    `intake.socket_group: the user of the sidecar is not in that group (got ${group}). Run usermod --append --groups ${group} USER, then start it again`,
    { cause: error },
  );
}
