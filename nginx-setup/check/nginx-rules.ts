import type { Finding } from '../../service/finding.ts';
import type { Configuration } from '../conf/configuration.ts';
import type { Asked } from '../program/ask-nginx.ts';

/** What nginx itself reports about its configuration, and files that could not be parsed. */
export function nginxFindings({ complaints }: Asked, { files }: Configuration): Finding[] {
  const refused = complaints.map(({ text, where, rights }): Finding => {
    const common = { severity: 'error', ...(where && { where }) } as const;
    if (rights) {
      return {
        ...common,
        id: 'no-rights',
        what: `nginx -T cannot read or open everything: ${text}`,
        why: 'run it with the permissions with which nginx is started; the findings below may be incomplete',
        fix: 'run this as root',
        command: 'sudo hotitem check --nginx',
      };
    }
    return {
      ...common,
      id: 'nginx-refuses',
      what: `nginx rejects the configuration: ${text}`,
      why: 'it does not start with it, and a reload keeps the previous one',
      fix: 'fix what it names; the other findings may say how',
    };
  });
  const unread = files.flatMap(({ path, problem }): Finding[] =>
    problem === undefined
      ? []
      : [
          {
            id: 'not-understood',
            severity: complaints.length > 0 ? 'error' : 'warning',
            what: `this file could not be parsed: ${problem.text}`,
            where: { file: path, line: problem.line },
            why: 'everything after that line was not checked',
            fix: 'look for a missing ; } or quote there',
          },
        ],
  );
  return [...refused, ...unread];
}
