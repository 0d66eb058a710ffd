import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Ran, run, tail } from '../../service/run.ts';
import { obtainDebianHost } from '../provision/debian-host.ts';
import { temporaryFolder } from './guard.ts';
import { startProcess, tailOf } from './process.ts';
import { record } from './record.ts';
import { report } from './report.ts';
import { until } from './until.ts';

/** A booted Debian: systemd is its first process, and its network is its own loopback. */
export type DebianHost = {
  /** Runs a shell command in it, as root. `outside`: on the network of this host. */
  run(command: string, options?: { outside?: boolean }): Promise<Ran>;
  /** The same; returns its output. Throws if it fails. */
  must(command: string, options?: { outside?: boolean }): Promise<string>;
  /**
   * Limits the memory of a running unit, as MemoryMax does. Returns systemd's name of the result: `signal` if the
   * kernel has the memory controller in the version 1 hierarchy, which the guest's systemd does not know.
   */
  limitMemory(unit: string, bytes: number): Promise<'oom-kill' | 'signal'>;
  unlimitMemory(unit: string): Promise<void>;
  /** The path of one of its files on this host. */
  path(file: string): string;
  close(): Promise<void>;
};

const BOOT_MS = 180_000;
const STOP_MS = 120_000;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const CACHE = '/npm';
/** Certificates that this host needs for the npm registry. */
const AUTHORITIES = '/opt/authorities.pem';
const BOOT = join(import.meta.dirname, 'boot-debian.sh');

/** Why this host cannot boot one; undefined if it can. */
export function whyNoDebianHost(): string | undefined {
  if (process.getuid?.() !== 0) return 'a Debian to boot needs root';
  const probe = 'mount -t cgroup2 hotitem /mnt && mkdir /mnt/hotitem-probe && rmdir /mnt/hotitem-probe';
  const { status } = spawnSync('unshare', ['--mount', '--cgroup', '--net', 'sh', '-c', probe], {
    stdio: 'ignore',
  });
  return status === 0 ? undefined : 'a Debian to boot needs namespaces and control groups of its own';
}

/** Boots a new one; its files are deleted with it. */
export async function bootDebian(): Promise<DebianHost> {
  const missing = whyNoDebianHost();
  if (missing !== undefined) throw new Error(missing);
  const tree = await obtainDebianHost({ report });
  const { path: folder, remove } = temporaryFolder('debian');
  const logFile = join(folder, 'boot.log');
  const work = join(folder, 'work');
  const group = `/sys/fs/cgroup/memory/hotitem-${process.pid}`;
  mkdirSync(work);
  const cache = (await run('npm', ['config', 'get', 'cache'])).stdout.trim();
  const registry = (await run('npm', ['config', 'get', 'registry'])).stdout.trim();
  mkdirSync(cache, { recursive: true });
  const booting = startProcess({ name: 'Debian', command: [BOOT, tree, work, `${CACHE}=${cache}`], logFile });
  const detail = () => tailOf(logFile);
  const init = await until(() => firstProcess(booting.pid), { timeoutMs: BOOT_MS, what: 'systemd', detail });
  const host = { run: inside, must, limitMemory, unlimitMemory, path, close };
  await until(async () => (await inside('test -S /run/systemd/private')).code === 0 || !booting.running(), {
    timeoutMs: BOOT_MS,
    what: 'Debian to boot',
    detail,
  });
  await inside('systemctl is-system-running --wait');
  copyFileSync('/etc/resolv.conf', path('/etc/resolv.conf'));
  const { NODE_EXTRA_CA_CERTS: authorities } = process.env;
  if (authorities) copyFileSync(authorities, path(AUTHORITIES));
  const systemd = (await must('systemctl --version')).split('\n')[0];
  record(
    `${systemd}, booted, with ${(await inside('nginx -v')).stderr.trim().replace('nginx version: ', '')}`,
  );
  return host;

  function inside(command: string, { outside = false } = {}): Promise<Ran> {
    const spaces = ['--mount', '--pid', '--uts', '--ipc', '--cgroup', ...(outside ? [] : ['--net'])];
    const env = [
      `PATH=${PATH}`,
      'HOME=/root',
      `npm_config_cache=${CACHE}`,
      `npm_config_registry=${registry}`,
      ...(process.env.NODE_EXTRA_CA_CERTS && outside ? [`NODE_EXTRA_CA_CERTS=${AUTHORITIES}`] : []),
      ...Object.entries(process.env).flatMap(([name, value]) =>
        /^https?_proxy$/i.test(name) ? [`${name}=${value}`] : [],
      ),
    ];
    const enter = ['--target', String(init), ...spaces];
    return run('nsenter', [...enter, 'env', '-i', ...env, 'sh', '-c', `cd /root && ${command}`]);
  }

  async function must(command: string, options?: { outside?: boolean }): Promise<string> {
    const ran = await inside(command, options);
    if (ran.code !== 0) throw new Error(`${command}: exit ${ran.code}\n${tail(ran, 30)}`);
    return ran.stdout;
  }

  async function limitMemory(unit: string, bytes: number): Promise<'oom-kill' | 'signal'> {
    const controllers = await must('cat /sys/fs/cgroup/cgroup.controllers');
    if (/\bmemory\b/.test(controllers)) {
      await must(`systemctl set-property --runtime ${unit} MemoryMax=${bytes} MemorySwapMax=0`);
      return 'oom-kill';
    }
    mkdirSync(group, { recursive: true });
    writeFileSync(join(group, 'memory.limit_in_bytes'), String(bytes));
    const pid = (await must(`systemctl show ${unit} -p MainPID --value`)).trim();
    writeFileSync(join(group, 'cgroup.procs'), String(pidHere(pid)));
    return 'signal';
  }

  async function unlimitMemory(unit: string): Promise<void> {
    if (existsSync(group)) rmdirSync(group);
    else await must(`systemctl set-property --runtime ${unit} MemoryMax=1G`);
  }

  /** The name of a guest's process on this host. */
  function pidHere(pid: string): string {
    const space = readlinkSync(`/proc/${init}/ns/pid`);
    const found = readdirSync('/proc').find((name) => {
      if (!/^\d+$/.test(name)) return false;
      try {
        const [, own] = /^NSpid:.*\t(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8')) ?? [];
        return own === pid && readlinkSync(`/proc/${name}/ns/pid`) === space;
      } catch {
        return false;
      }
    });
    if (found === undefined) throw new Error(`process ${pid} of the guest is gone`);
    return found;
  }

  function path(file: string): string {
    return join(`/proc/${init}/root`, file);
  }

  async function close(): Promise<void> {
    process.kill(booting.pid, 'SIGTERM');
    try {
      await until(() => !booting.running(), { timeoutMs: STOP_MS, what: 'Debian to power off', detail });
    } finally {
      await booting.kill();
      remove();
      if (existsSync(group)) rmdirSync(group);
    }
  }
}

/** systemd: the child of the process that the script started, once it is no longer a shell. */
function firstProcess(script: number): number | undefined {
  const init = childOf(childOf(script));
  if (init === undefined) return undefined;
  return readFileSync(`/proc/${init}/cmdline`, 'utf8').startsWith('/lib/systemd/systemd') ? init : undefined;
}

function childOf(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const [child = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    return child === '' ? undefined : Number(child);
  } catch {
    return undefined;
  }
}
