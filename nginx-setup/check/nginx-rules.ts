import type { Finding } from '../../service/finding.ts';
import type { Configuration } from '../conf/configuration.ts';
import type { Asked } from '../program/ask-nginx.ts';

/** What nginx itself has against its configuration, and files that could not be understood. */
export function nginxFindings({ complaints }: Asked, { files }: Configuration): Finding[] {
  const refused = complaints.map(({ text, where, rights }): Finding => {
    const common = { severity: 'error', ...(where && { where }) } as const;
    if (rights) {
      return {
        ...common,
        id: 'no-rights',
        what: `nginx -T may not read or open everything: ${text}`,
        why: 'it needs the rights that nginx is started with; what follows was read without it and may be incomplete',
        fix: 'run this as root',
        command: 'sudo hotitem check --nginx',
      };
    }
    return {
      ...common,
      id: 'nginx-refuses',
      what: `nginx refuses the configuration: ${text}`,
      why: 'it will not start with it, and a reload keeps the one of before',
      fix: 'put right what it names; the other lines here may say how',
    };
  });
  const unread = files.flatMap(({ path, problem }): Finding[] =>
    problem === undefined
      ? []
      : [
          {
            id: 'not-understood',
            severity: complaints.length > 0 ? 'error' : 'warning',
            what: `this file could not be read to its end: ${problem.text}`,
            where: { file: path, line: problem.line },
            why: 'what comes after that line was not checked',
            fix: 'look for a missing ; } or quote there',
          },
        ],
  );
  return [...refused, ...unread];
}
