import { existsSync } from 'node:fs';
import { chmod, copyFile, readdir, realpath, writeFile } from 'node:fs/promises';
import { delimiter, join, relative } from 'node:path';
import { debianTree } from '../../provision/debian.ts';
import { libraryFolders, loaderOf } from '../../provision/debian-libraries.ts';
import { ProvisionError } from '../../provision/provision-error.ts';
import type { Report } from '../../provision/report.ts';

type Options = { report: Report; env?: NodeJS.ProcessEnv };

const NAMES = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
];

/**
 * What a browser of tests is started with: it asks nobody for anything that no test asked for, and all tabs of a window have one process,
 * instead of one for each.
 */
export const CHROMIUM_FLAGS: string[] = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--renderer-process-limit=1',
  '--disable-site-isolation-trials',
];

/**
 * A Chromium, as one path to execute: the one that `HOTITEM_CHROMIUM` names, else the installed one, else Debian's
 * unpacked privately. Throws a `ProvisionError`.
 */
export async function obtainChromium({ report, env = process.env }: Options): Promise<string> {
  const named = env.HOTITEM_CHROMIUM;
  if (named) {
    if (existsSync(named)) return named;
    throw new ProvisionError(`HOTITEM_CHROMIUM: ${named} is not there`, { hint: 'Correct it, or unset it.' });
  }
  const installed = (env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
  if (installed !== undefined) return installed;

  const tree = await debianTree({
    suite: 'trixie',
    // Chromium without its windows: they cost as much CPU as the pages in them.
    packages: ['chromium-headless-shell', 'fonts-dejavu-core'],
    name: 'chromium-headless-shell-trixie',
    what: 'Chromium (about 140 MB)',
    report,
    finish: writeLauncher,
  });
  return join(tree, 'launch');
}

/**
 * Chromium takes its data from beside the running program, and starts itself again for every tab: run by a loader, both
 * are the loader. So the loader lies beside it, and the launcher is what it starts again.
 */
async function writeLauncher(tree: string): Promise<void> {
  const libraries = await libraryFolders(tree);
  await copyFile(await realpath(await loaderOf(libraries)), join(tree, 'usr/lib/chromium/loader'));
  // PulseAudio keeps a library of its own in a folder of its own.
  const own: string[] = [];
  for (const folder of libraries) {
    if ((await readdir(folder)).includes('pulseaudio')) own.push(join(folder, 'pulseaudio'));
  }
  const path = [...libraries, ...own].map((folder) => `$tree/${relative(tree, folder)}`).join(':');
  await writeFile(
    join(tree, 'fonts.conf'),
    `<?xml version="1.0"?><fontconfig><dir prefix="relative">usr/share/fonts</dir><dir>/usr/share/fonts</dir>
<cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
`,
  );
  const launcher = join(tree, 'launch');
  await writeFile(
    launcher,
    `#!/bin/sh
tree=$(dirname "$(readlink -f "$0")")
export FONTCONFIG_FILE="$tree/fonts.conf"
exec "$tree/usr/lib/chromium/loader" --library-path "${path}" "$tree/usr/lib/chromium/chromium-headless-shell" \\
    --no-zygote --browser-subprocess-path="$tree/launch" "$@"
`,
  );
  await chmod(launcher, 0o755);
}
