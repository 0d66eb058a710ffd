import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../../service/error-code.ts';
import { guardGroup } from './guard.ts';
import { until } from './until.ts';

export type ProcessOptions = {
  /** For messages: `Kafka`. */
  name: string;
  command: string[];
  /** The file to which the output of the process is appended. */
  logFile: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Run as this user and group. */
  user?: { uid: number; gid: number };
  /** Called when it has exited: returns the process of its group that replaces it, if any. */
  heir?: () => number | undefined;
};

/** A process with all its children: signals, except `stop`, go to the whole group. */
export type PartProcess = {
  /** The id of the started process, and of its group. */
  pid: number;
  running(): boolean;
  /** Sends SIGTERM, or another signal, and waits for the exit. After a minute, or `timeoutMs`, it is killed, which is an error. */
  stop(signal?: NodeJS.Signals, timeoutMs?: number): Promise<void>;
  /** kill -9, and waits for the exit. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** Resolves when the process has exited. */
  ended: Promise<void>;
};

const STOP_MS = 60_000;
const HEIR_EVERY_MS = 25;
const TAIL_BYTES = 8_000;

/** Starts a process. It does not outlive this one. */
export function startProcess(options: ProcessOptions): PartProcess {
  const { name, command, logFile, cwd, env, user, heir } = options;
  const [program = '', ...args] = command;
  const log = openSync(logFile, 'a');
  const child = spawn(program, args, { cwd, env, ...user, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);

  const { pid } = child;
  child.once('error', () => {});
  if (pid === undefined) throw new Error(`${name}: ${program} cannot be started`);
  const release = guardGroup(pid);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  })
    .then(heirEnded)
    .then(endGroup);

  return { pid, running, stop, kill, pause: () => signal('SIGSTOP'), resume: () => signal('SIGCONT'), ended };

  function running(): boolean {
    return (child.exitCode === null && child.signalCode === null) || isAlive(heir?.());
  }

  async function heirEnded(): Promise<void> {
    while (isAlive(heir?.())) await delay(HEIR_EVERY_MS);
  }

  async function stop(which: NodeJS.Signals = 'SIGTERM', timeoutMs = STOP_MS): Promise<void> {
    signal('SIGCONT');
    const next = heir?.();
    if (next === undefined || isAlive(pid)) child.kill(which);
    else if (isAlive(next)) process.kill(next, which);
    try {
      await until(() => !running(), {
        timeoutMs,
        what: `${name} to stop`,
        detail: () => tailOf(logFile),
      });
    } finally {
      await kill();
    }
  }

  async function kill(): Promise<void> {
    if (running()) signal('SIGKILL');
    await ended;
  }

  // The workers of a killed master hold its ports a moment longer.
  async function endGroup(): Promise<void> {
    await until(
      () => {
        // Zombies are in the group, too: only the list of all processes tells them apart, and it is slow to read.
        return !signal('SIGKILL') || pidsIn(pid ?? 0).length === 0;
      },
      { timeoutMs: STOP_MS, what: `all of ${name} to end`, everyMs: 5 },
    ).finally(release);
  }

  /** False if the whole group has exited. */
  function signal(which: NodeJS.Signals): boolean {
    try {
      return process.kill(-(pid ?? 0), which);
    } catch (error) {
      return codeOf(error) !== 'ESRCH';
    }
  }
}

/** False if the process has exited, also if it is a zombie. */
export function isAlive(pid: number | undefined): boolean {
  return pid !== undefined && stateOf(pid)?.isAlive === true;
}

/** The processes of a group, without zombies. */
export function pidsIn(group: number): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      const state = stateOf(pid);
      return state?.group === group && state.isAlive;
    });
}

/** Undefined if there is no such process. */
function stateOf(pid: number): { isAlive: boolean; group: number } | undefined {
  try {
    // After the name, which may contain anything: state, parent, group.
    const [state, , group] = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { isAlive: state !== 'Z' && state !== 'X', group: Number(group) };
  } catch {
    return undefined;
  }
}

/** The last lines of a log, for a test that fails. */
export function tailOf(logFile: string): string {
  return existsSync(logFile) ? readFileSync(logFile).subarray(-TAIL_BYTES).toString() : '';
}
