import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { obtain } from '../../provision/cache.ts';
import { debianTree } from '../../provision/debian.ts';
import { findMirror } from '../../provision/debian-mirror.ts';
import { ProvisionError } from '../../provision/provision-error.ts';
import type { Report } from '../../provision/report.ts';
import { run, tail } from '../../service/run.ts';

const SUITE = 'trixie';
const PACKAGES = 'systemd-sysv dbus nginx libnginx-mod-http-js nodejs npm curl ca-certificates'.split(' ');
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const BUILD_MS = 30 * 60_000;

/**
 * A whole Debian as on a fresh host, with systemd, nginx with njs, Node and npm, all of Debian: a folder to be booted. Needs root, for
 * its files belong to several users. Throws a `ProvisionError`.
 */
export async function obtainDebianHost({ report }: { report: Report }): Promise<string> {
  const folder = await obtain({
    name: `debian-host-${SUITE}`,
    what: `a Debian ${SUITE} with systemd, nginx, Node and npm (about 510 MB, a few minutes)`,
    report,
    make: async (unfinished) => build(join(unfinished, 'root'), await mmdebstrap(report)),
  });
  return join(folder, 'root');
}

async function build(root: string, command: string[]): Promise<void> {
  const mirror = await findMirror();
  if (mirror === undefined)
    throw new ProvisionError('no mirror of Debian', { hint: 'See /etc/apt/sources.list.' });
  const source = `deb [signed-by=${KEYRING}] ${mirror} ${SUITE} main`;
  const options = ['--mode=root', '--variant=required', '--aptopt=APT::Install-Recommends "false"'];
  const args = [...command, ...options, `--include=${PACKAGES.join(',')}`, SUITE, root, source];
  // It mounts /dev and /proc in the tree: in a namespace of its own nobody who removes a tree ever finds them there.
  const ran = await run('unshare', ['--mount', ...args], { timeoutMs: BUILD_MS });
  if (ran.code !== 0)
    throw new ProvisionError(`mmdebstrap failed: ${tail(ran)}`, {
      hint: 'It needs root and a mirror of Debian.',
    });
}

/** The installed one, else Debian's, unpacked privately and run by this machine's Perl. */
async function mmdebstrap(report: Report): Promise<string[]> {
  if ((await run('mmdebstrap', ['--version'])).code === 0) return ['mmdebstrap'];
  const tree = await debianTree({
    suite: 'bookworm',
    packages: ['mmdebstrap'],
    name: 'mmdebstrap-bookworm',
    what: 'mmdebstrap',
    report,
  });
  const program = join(tree, 'usr/bin/mmdebstrap');
  await access(program);
  return ['perl', program];
}
