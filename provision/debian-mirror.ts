import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

type Source = { types: string[]; uris: string[]; suites: string[]; components: string[]; enabled: boolean };

const SUITES = new Set(
  'oldoldstable oldstable stable testing unstable sid buster bullseye bookworm trixie forky duke'.split(' '),
);
const USABLE = /^(https?|mirror\+(https?|file)):/;

/**
 * The mirror of Debian's archive in apt's sources under `folder`, or undefined. Entries for updates, security and backports are ignored,
 * because they are elsewhere or not complete suites; so are other archives.
 */
export async function findMirror(folder = '/etc/apt'): Promise<string | undefined> {
  const oneLine = [join(folder, 'sources.list')];
  const deb822: string[] = [];
  const parts = join(folder, 'sources.list.d');
  for (const name of (await readdir(parts).catch(() => [])).sort()) {
    if (name.endsWith('.list')) oneLine.push(join(parts, name));
    if (name.endsWith('.sources')) deb822.push(join(parts, name));
  }
  const sources = [
    ...(await Promise.all(oneLine.map(async (file) => fromOneLine(await read(file))))),
    ...(await Promise.all(deb822.map(async (file) => fromDeb822(await read(file))))),
  ];
  return mirrorOf(sources.flat());
}

/** The URL of Debian's `main` in these sources. */
export function mirrorOf(sources: Source[]): string | undefined {
  return sources
    .filter(
      ({ enabled, types, components }) => enabled && types.includes('deb') && components.includes('main'),
    )
    .filter(({ suites }) => suites.some((suite) => SUITES.has(suite)))
    .flatMap(({ uris }) => uris)
    .find((uri) => USABLE.test(uri));
}

/** The entries of a `sources.list`: `deb [option=value …] uri suite component …`. */
export function fromOneLine(text: string): Source[] {
  return text.split('\n').flatMap((line) => {
    const entry = /^\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+(.*)$/.exec(
      line.replace(/#.*/, ''),
    );
    if (entry === null) return [];
    const [, type = '', , uri = '', suite = '', components = ''] = entry;
    return [{ types: [type], uris: [uri], suites: [suite], components: words(components), enabled: true }];
  });
}

/** The entries of a `.sources` file: stanzas of `Field: value`; lines that begin with a space continue the value. */
export function fromDeb822(text: string): Source[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  return lines
    .join('\n')
    .split(/\n\s*\n/)
    .map((stanza) => {
      const fields = new Map<string, string>();
      for (const [, name = '', value = ''] of stanza.matchAll(/^([A-Za-z-]+):(.*(?:\n[ \t].*)*)/gm)) {
        fields.set(name.toLowerCase(), value);
      }
      return {
        types: words(fields.get('types')),
        uris: words(fields.get('uris')),
        suites: words(fields.get('suites')),
        components: words(fields.get('components')),
        enabled: !/^\s*(no|false|without|off|disable)\s*$/i.test(fields.get('enabled') ?? ''),
      };
    });
}

function words(text = ''): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
