import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Ran, run, tail } from '../service/run.ts';
import { type OnDownload, obtain } from './cache.ts';
import { findMirror } from './debian-mirror.ts';
import { ProvisionError } from './provision-error.ts';
import type { Downloading, Report } from './report.ts';
import type { Suite } from './versions.ts';

type TreeOptions = {
  suite: Suite;
  /** The packages; their dependencies are added. */
  packages: string[];
  /** The folder's name in the cache: part and version. */
  name: string;
  /** For people: `nginx 1.26.3 with njs`. */
  what: string;
  report: Report;
  downloading?: Downloading | undefined;
  /** Adds to the unpacked tree before it is complete. */
  finish?: (folder: string) => Promise<void>;
};

const KEYRINGS = ['debian-archive-keyring.gpg', 'debian-archive-keyring.pgp'].map((name) =>
  join('/usr/share/keyrings', name),
);
const HINT = 'Is the Debian mirror of /etc/apt/sources.list and sources.list.d reachable?';

/**
 * Unpacks Debian packages with all dependencies into a folder of the cache. Installs nothing, changes no file of the system, and does not
 * need root. apt checks the archive's signature. Returns the folder, in which `packages.txt` lists the packages. Throws a
 * `ProvisionError`.
 */
export function debianTree(options: TreeOptions): Promise<string> {
  const { suite, packages, name, what, report, downloading, finish } = options;
  return obtain({
    name,
    what: `${what} from Debian ${suite}, unpacked privately`,
    report,
    downloading,
    async make(folder, onDownload) {
      await unpack({ suite, packages, folder, onDownload });
      await finish?.(folder);
    },
  });
}

type Unpacking = { suite: Suite; packages: string[]; folder: string; onDownload: OnDownload };

async function unpack({ suite, packages, folder, onDownload }: Unpacking): Promise<void> {
  const work = join(folder, '.apt');
  const debs = join(work, 'debs');
  await mkdir(debs, { recursive: true });
  const env = await privateApt(work, suite);

  await apt(['update'], { env, cwd: work });
  const planned = await apt(['install', '--simulate', '--no-install-recommends', ...packages], {
    env,
    cwd: work,
  });
  const closure = [...planned.stdout.matchAll(/^Inst (\S+)(?: \[\S*\])? \((\S+)/gm)].map(
    ([, name = '', version = '']) => ({ name, version }),
  );
  if (closure.length === 0)
    throw new ProvisionError(`apt finds nothing to install for ${packages.join(' ')}`, { hint: HINT });
  const wanted = closure.map(({ name, version }) => `${name}=${version}`);
  const listed = await apt(['download', '--print-uris', ...wanted], { env, cwd: debs });
  onDownload(debs, bytesIn(listed.stdout));
  await apt(['download', ...wanted], { env, cwd: debs });

  for (const deb of await readdir(debs)) {
    const ran = await run('dpkg-deb', ['--extract', join(debs, deb), folder]);
    if (ran.code !== 0) throw new ProvisionError(`${deb} cannot be unpacked: ${tail(ran)}`, { hint: HINT });
    await rm(join(debs, deb));
  }
  await writeFile(
    join(folder, 'packages.txt'),
    closure.map(({ name, version }) => `${name} ${version}\n`).join(''),
  );
  await rm(work, { recursive: true });
}

/** The sum of the sizes that apt names: `'http://…' nginx_1.26.3_amd64.deb 605512 SHA256:…`. */
export function bytesIn(uris: string): number {
  return [...uris.matchAll(/^'\S+' \S+ (\d+)/gm)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}

/** An apt with all its files in `work`. From the host's apt it takes only the mirror and the proxy settings. */
async function privateApt(work: string, suite: Suite): Promise<NodeJS.ProcessEnv> {
  const settings = await run('apt-config', ['dump']);
  if (settings.missing) {
    throw new ProvisionError('there is no apt: this is not a Debian system', {
      hint: 'Nothing can be unpacked from Debian here.',
    });
  }
  const mirror = await findMirror();
  if (mirror === undefined) {
    throw new ProvisionError('/etc/apt/sources.list and sources.list.d name no Debian mirror', {
      hint: "Add one (deb http://<mirror>/debian stable main); other distributions' packages are not used.",
    });
  }
  for (const path of ['lists/partial', 'cache/archives/partial', 'state']) {
    await mkdir(join(work, path), { recursive: true });
  }
  const signedBy = await keyring();
  await writeFile(join(work, 'sources.list'), `deb [signed-by=${signedBy}] ${mirror} ${suite} main\n`);
  await writeFile(join(work, 'status'), '');
  const config = {
    // The host's apt.conf is not read, so that none of its hooks runs: Debian's images have one that empties the system's cache.
    'Dir::Etc::main': '/dev/null',
    'Dir::Etc::parts': '/dev/null',
    'Dir::Etc::sourcelist': join(work, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': join(work, 'state'),
    'Dir::State::lists': join(work, 'lists'),
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': join(work, 'cache'),
    'Dir::Log': work,
    'APT::Sandbox::User': 'root',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Languages': 'none',
    'Debug::NoLocking': '1',
  };
  const lines = Object.entries(config).map(([key, value]) => `${key} "${value}";`);
  const network = settings.stdout
    .split('\n')
    .filter((line) => /^Acquire::(https?|Retries|Check-|Force)/i.test(line));
  await writeFile(join(work, 'apt.conf'), [...lines, ...network, ''].join('\n'));
  return { ...process.env, APT_CONFIG: join(work, 'apt.conf') };
}

async function keyring(): Promise<string> {
  for (const path of KEYRINGS) {
    if (await stat(path).catch(() => undefined)) return path;
  }
  throw new ProvisionError(`the keys of Debian's archive are missing: ${KEYRINGS[0]} does not exist`, {
    hint: 'Install the package debian-archive-keyring.',
  });
}

async function apt(args: string[], options: { env: NodeJS.ProcessEnv; cwd: string }): Promise<Ran> {
  const ran = await run('apt-get', ['-q', ...args], options);
  if (ran.code === 0) return ran;
  throw new ProvisionError(`apt-get ${args[0]} failed:\n${tail(ran)}`, { hint: HINT });
}
