import { readFileSync } from 'node:fs';
import { codeOf } from '../../service/error-code.ts';

/** The id of a group given by name or number. Throws if the name does not exist. */
export function groupId(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const entry = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${group}:`));
  if (entry === undefined) throw new Error(`intake.socket_group: no such group (got ${group})`);
  return Number(entry.split(':')[2]);
}

/** Adds a hint if this user may not assign that group to a file; any other error is returned unchanged. */
export function explainGroup(error: unknown, group: string): unknown {
  if (codeOf(error) !== 'EPERM') return error;
  return new Error(
    `intake.socket_group: the user of the sidecar is not in that group (got ${group}). Run usermod --append --groups ${group} USER, then start it again`,
    { cause: error },
  );
}
