import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync } from 'node:fs';
import type { Oddity } from '../../sidecar/tail/folder.ts';

/** The user of nginx's workers, and on Debian of the shop's PHP; here `nobody`. */
export const WORKER = 65_534;

/** Whether this test may act as another user. */
export const canAttack = process.getuid?.() === 0;

/** Lets the workers' user write to a folder, as documented. */
export function letIn(folder: string): void {
  chownSync(folder, 0, WORKER);
  chmodSync(folder, 0o2770);
}

/** Runs a shell script in a folder, as the workers' user. */
export function attack(folder: string, script: string): void {
  const ids = [`--reuid=${WORKER}`, `--regid=${WORKER}`, '--clear-groups'];
  const { status, stderr } = spawnSync('setpriv', [...ids, 'sh', '-ec', script], { cwd: folder });
  if (status !== 0) throw new Error(`the attack does not work: ${stderr}`);
}

/**
 * Every kind of odd file that such a user can create, except `full`: for `attack`, in a folder beside the spool. Also a thousand empty
 * files from the future, and holes and empty lines in files with nginx's names; none contains an event.
 */
export const EVERYTHING_ODD = `
mkdir 2026-11-22T10:01.tsv folder
chmod 0 folder
mkfifo 2026-11-22T10:02.tsv log-2026-11-22T10:02.tsv pipe zone-$(date -u +%FT%H:%M).tsv report-2
for segment in ../spool/*.log; do ln -s "$segment" 2026-11-22T10:03.tsv; break; done
ln -s /dev/zero zone-2026-11-22T10:03.tsv
ln -s 2026-11-22T10:04.tsv 2026-11-22T10:04.tsv
echo linked > one.tsv && ln one.tsv two.tsv
truncate -s 1T 0.tsv
echo name > "$(printf 'a\\033[31m\\nb.tsv')"
for i in 1 2 3; do truncate -s 15M 2026-11-22T11:$i.tsv; done
head -c 3000000 /dev/zero | tr '\\0' '\\n' > 1.tsv
for i in $(seq 1000); do : > 3-$i.tsv; done
touch -d '2099-01-01' 3-*.tsv
mkdir drain report-1
`;

/** The number of each kind. */
export const ODD: Partial<Record<Oddity, number>> = {
  type: 4,
  link: 3,
  hard_link: 2,
  sparse: 1,
  name: 3,
};
