import { resolve } from 'node:path';
import { RELOAD } from '../../nginx-setup/check/mend.ts';
import { includeSettings } from '../../nginx-setup/includes.ts';
import { nginxProgram } from '../../nginx-setup/program/program.ts';
import { removeIncludes } from '../../nginx-setup/remove.ts';
import type { Use } from '../../nginx-setup/uses.ts';
import { shellWord } from '../../service/finding.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { print } from '../terminal.ts';

export const nginxRemove: Command = {
  about: 'removes the nginx includes while nginx runs: nginx remove [PROGRAM], as root; may be repeated',
  options: {
    dir: { type: 'string', placeholder: 'FOLDER', about: 'their folder (nginx.dir: /etc/nginx/hotitem)' },
    'nginx-conf': { type: 'string', placeholder: 'FILE', about: 'the nginx.conf that includes them' },
    purge: {
      type: 'boolean',
      about: 'also remove edited items.conf, tracking.conf, cookies.conf, and backups',
    },
  },
  configured: true,
  async run(context) {
    const { dir, 'nginx-conf': conf, purge, ...flags } = context.flags;
    const config = configure({ ...context, flags });
    const folder = resolve(typeof dir === 'string' ? dir : config.nginx.dir);
    const program = nginxProgram(context.env, context.positionals[0]);
    const result = await removeIncludes({
      ...includeSettings(config),
      dir: folder,
      purge: purge === true,
      nginx:
        program === undefined
          ? undefined
          : { command: [program], ...(typeof conf === 'string' && { conf: resolve(conf) }) },
    });
    if ('inUse' in result) {
      print(inUseText(folder, result.inUse));
      return 1;
    }
    const { removed, kept } = result;
    print(`removed ${removed} files of ${folder}.\n${keptText(kept)}${LEFT}`);
    return 0;
  },
};

const LEFT =
  'Views that the sidecar has not ingested are still in its spill folder: `hotitem status` shows them.\n';

function keptText(kept: string[]): string {
  if (kept.length === 0) return '';
  return `Kept, because it is yours (--purge removes it): ${kept.join(', ')}\n`;
}

function inUseText(dir: string, uses: Use[]): string {
  const files = [...new Set(uses.map(({ file }) => file))];
  return [
    `Not removed yet: nginx includes ${dir}. Its files are empty now, so nothing is captured after the next reload, and nginx`,
    'starts at each step. Remove these lines:',
    ...uses.map(
      ({ file, line, text, names }) =>
        `  ${file}:${line}  ${text}${names ? '' : '   (first, before the includes)'}`,
    ),
    '',
    ...(uses.every(({ alone }) => alone)
      ? [
          'That is:',
          ...files.map((file) => {
            const lines = uses.filter((use) => use.file === file).map(({ line }) => `${line}d`);
            return `  sed -i --follow-symlinks '${[...new Set(lines)].join(';')}' ${shellWord(file)}`;
          }),
        ]
      : []),
    `Then: ${RELOAD} && hotitem nginx remove --dir ${shellWord(dir)}`,
    '',
  ].join('\n');
}
