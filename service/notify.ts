import { execFile } from 'node:child_process';
import { type Log, reasonOf } from './log.ts';

/** What systemd is told about this process (sd_notify(3)). All of it is nothing where systemd did not start it. */
export type Notifier = {
  /** The service works: `systemctl start` returns. From here on systemd hears every so often that it still does. */
  ready(): Promise<void>;
  /** It ends because it was told to. Resolves when systemd knows. */
  stopping(): Promise<void>;
};

export type NotifierOptions = {
  env: Record<string, string | undefined>;
  pid: number;
  log: Pick<Log, 'warn'>;
  /** Tells systemd. Default: systemd's own program. Node has no datagram sockets on paths, and no addon is needed for a line a minute. */
  send?: (states: string[]) => Promise<void>;
};

const PROGRAM = 'systemd-notify';
const LONGEST_MS = 5_000;
/** Pings in the time after which systemd kills a process that it does not hear. */
const PINGS = 3;

/**
 * For a unit with `Type=notify` and `NotifyAccess=all`: the message comes from a child. The pings come from the event loop, so that a
 * process whose loop hangs is killed and started again. Failures are logged; they stop nothing.
 */
export function createNotifier({ env, pid, log, send = tellSystemd }: NotifierOptions): Notifier {
  if (!env.NOTIFY_SOCKET) return { ready: async () => {}, stopping: async () => {} };
  let pings: NodeJS.Timeout | undefined;
  return {
    async ready() {
      await notify(['READY=1']);
      const everyMs = pingEveryMs(env, pid);
      if (everyMs !== undefined) pings = setInterval(() => void notify(['WATCHDOG=1']), everyMs).unref();
    },
    async stopping() {
      clearInterval(pings);
      await notify(['STOPPING=1']);
    },
  };

  async function notify(states: string[]): Promise<void> {
    try {
      await send(states);
    } catch (error) {
      log.warn({ states, reason: reasonOf(error) }, 'systemd could not be notified');
    }
  }
}

/** Undefined where the unit has no watchdog, or it is another process that is watched. */
function pingEveryMs(env: NotifierOptions['env'], pid: number): number | undefined {
  const microseconds = Number(env.WATCHDOG_USEC);
  if (!(microseconds > 0)) return undefined;
  if (env.WATCHDOG_PID && Number(env.WATCHDOG_PID) !== pid) return undefined;
  return Math.max(1, Math.floor(microseconds / 1_000 / PINGS));
}

function tellSystemd(states: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(PROGRAM, states, { timeout: LONGEST_MS }, (error) => (error ? reject(error) : resolve()));
  });
}
