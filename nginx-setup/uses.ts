import { realpath } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { type Place, placeOf } from '../service/finding.ts';
import { Trouble } from '../service/trouble.ts';
import { type Configuration, readConfiguration } from './conf/configuration.ts';
import type { Directive } from './conf/directives.ts';
import { diskSource } from './conf/disk-source.ts';
import { LINE_FORMAT } from './conf/include-table.ts';
import { readNginx } from './conf/read-nginx.ts';
import { createSite } from './conf/site.ts';
import { runningNginx } from './program/running-nginx.ts';

/** A line of the operator that needs a folder of includes. */
export type Use = Place & {
  text: string;
  /** It names a file of the folder. Otherwise it uses a definition from one, and must be removed first. */
  names: boolean;
  /** The directive is alone on its line. */
  alone: boolean;
};

export type Uses = {
  uses: Use[];
  /** Whether nginx accepts the configuration. */
  accepted: boolean;
  /** Why it does not. */
  complaint: string | undefined;
};

export type NginxAsked = {
  command: string[];
  /** The nginx.conf to examine; undefined: nginx's default one, and those of running nginx processes. */
  conf?: string;
};

/**
 * The lines of nginx's configuration that need the includes in `dir`. Throws `Trouble` if the configuration cannot be read completely:
 * the unread part could need them.
 */
export async function findUses(dir: string, { command, conf }: NginxAsked): Promise<Uses> {
  const { asked, main, configuration, unreadable } = await readNginx(command, conf);
  const [complaint] = asked.complaints;
  if (unreadable || complaint?.rights)
    throw new Trouble(
      `nginx's configuration cannot be read: ${complaint?.text ?? main}`,
      'Run this as root.',
    );
  const others = conf === undefined ? (await runningNginx()).flatMap((running) => running.conf ?? []) : [];
  const read = [...new Set(others)]
    .filter((path) => path !== main)
    .map((path) => usesIn(dir, path, readConfiguration(path, diskSource)));
  return {
    uses: (await Promise.all([usesIn(dir, main, configuration), ...read])).flat(),
    accepted: asked.dump !== undefined,
    complaint: complaint?.text,
  };
}

async function usesIn(dir: string, main: string, configuration: Configuration): Promise<Use[]> {
  const folders = [...new Set([dir, await realpath(dir).catch(() => dir)])];
  const outside = createSite(configuration).spots.filter(({ directive }) => !isInside(directive.file));
  const uses = outside.flatMap(({ directive }): Use[] => {
    const names = namesAFile(directive);
    if (!names && !usesADefinition(directive)) return [];
    return [
      {
        ...placeOf(directive),
        text: [directive.name, ...directive.args].join(' '),
        names,
        alone: isAlone(directive),
      },
    ];
  });
  // If no line names the folder, the definitions that they use may come from another folder.
  if (!uses.some(({ names }) => names)) return [];
  return uses.toSorted((a, b) => Number(a.names) - Number(b.names));

  function isInside(path: string): boolean {
    return folders.some((folder) => path === folder || path.startsWith(`${folder}${sep}`));
  }

  function namesAFile({ name, args }: Directive): boolean {
    if (name === 'include') return isInside(resolve(dirname(main), args[0] ?? ''));
    return args.some((arg) => arg.startsWith('/') && isInside(arg));
  }

  function usesADefinition({ name, args }: Directive): boolean {
    if (name === 'access_log' && args[1] === LINE_FORMAT) return true;
    return [name, ...args].some((word) => /\$\{?hotitem_/.test(word));
  }

  function isAlone({ file, line }: Directive): boolean {
    const text = configuration.files.find(({ path }) => path === file)?.text.split('\n')[line - 1] ?? '';
    return /^[^;{}]*;\s*(?:#.*)?$/.test(text);
  }
}
