import { execFile } from 'node:child_process';
import { type Log, reasonOf } from './log.ts';

/** Notifications to systemd about this process (sd_notify(3)). They do nothing if systemd did not start it. */
export type Notifier = {
  /** The service works: `systemctl start` returns. From here on the watchdog is pinged. */
  ready(): Promise<void>;
  /** It stops as requested. Resolves when systemd knows. */
  stopping(): Promise<void>;
};

export type NotifierOptions = {
  env: Record<string, string | undefined>;
  pid: number;
  log: Pick<Log, 'warn'>;
  /**
   * Sends a notification. Default: systemd's own program, because Node has no unix datagram sockets, and a message a minute needs no addon.
   */
  send?: (states: string[]) => Promise<void>;
};

const PROGRAM = 'systemd-notify';
const LONGEST_MS = 5_000;
/** Pings per watchdog interval, after which systemd kills a silent process. */
const PINGS = 3;

/**
 * For a unit with `Type=notify` and `NotifyAccess=all`, because a child sends the message. The pings come from the event loop, so a process
 * whose loop hangs is killed and restarted. Failures are logged, and have no other effect.
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

/** Undefined if the unit has no watchdog, or it watches another process. */
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
