import { statSync } from 'node:fs';
import { type Finding, shellWord } from '../../service/finding.ts';

/**
 * Root reads any file: whether the owner of `home`, whom the service runs as, can read it too. Other groups of that user are not known here.
 * `path` exists.
 */
export function unreadableFindings(path: string, home: string, id: string, why: string): Finding[] {
  const owner = statSync(home, { throwIfNoEntry: false });
  const { uid, gid, mode } = statSync(path);
  if (owner === undefined || owner.uid === 0 || (mode & 0o004) !== 0) return [];
  const mayRead = uid === owner.uid ? (mode & 0o400) !== 0 : gid === owner.gid && (mode & 0o040) !== 0;
  if (mayRead) return [];
  return [
    {
      id,
      severity: 'warning',
      what: `the user ${owner.uid}, who owns ${home}, may not be able to read ${path}`,
      why,
      fix: 'make it readable for that user or its group',
      command: `chgrp ${owner.gid} ${shellWord(path)} && chmod g+r ${shellWord(path)}`,
    },
  ];
}
