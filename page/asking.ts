import { asksForLogin, LOGIN_ENDED } from './login.ts';

/*
 * Asks the API again and again while its view is shown and looked at.
 */

export type Asking = {
  /** Asks for this from now on, at once. Returns whether it is another question: numbers of the last must not be read as those of this one. */
  ask(path: string): boolean;
  stop(): void;
  /** Held: what is there stays. */
  hold(isHeld: boolean): void;
  /** What to say where nothing was answered yet. */
  waiting(): string;
};

export type AskingOptions<Answer> = {
  /** How long after an answer it asks again. */
  everyMs(answer: Answer | undefined): number;
  onAnswer(answer: Answer): void;
  /** `reason` in words. What was answered before is not up to date any more. */
  onFailure(reason: string): void;
  /** What takes longer has failed. By default longer than the index may take. */
  patienceMs?: number;
};

/** Longer than a question may take (`longestMs` in app/wire-sidecar.ts): one that is given up sooner is asked again, for ever. */
const PATIENCE_MS = 35_000;

export function createAsking<Answer>(options: AskingOptions<Answer>): Asking {
  const { everyMs, onAnswer, onFailure, patienceMs = PATIENCE_MS } = options;
  let path: string | undefined;
  /** Also while nothing is asked. */
  let last: string | undefined;
  let isHeld = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: AbortController | undefined;
  document.addEventListener('visibilitychange', refresh);
  return {
    ask(next) {
      const isOther = next !== last;
      last = path = next;
      refresh();
      return isOther;
    },
    stop() {
      path = undefined;
      refresh();
    },
    hold(held) {
      if (isHeld === held) return;
      isHeld = held;
      refresh();
    },
    waiting: () =>
      isHeld ? 'The page is held, and this was not loaded before. Press Hold again to load it.' : 'Loading…',
  };

  function refresh(): void {
    clearTimeout(timer);
    // What was asked before the last change of mind must not be shown over the newer answer.
    asking?.abort();
    asking = undefined;
    if (path !== undefined && !isHeld && !document.hidden) void attempt(path);
  }

  async function attempt(from: string): Promise<void> {
    const asked = new AbortController();
    asking = asked;
    const patience = setTimeout(() => asked.abort(new Error('no answer in time')), patienceMs);
    let answer: Answer | undefined;
    try {
      const { signal } = asked;
      const reply = await fetch(from, { signal, redirect: 'manual' }).catch(() => signal.throwIfAborted());
      if (reply === undefined) throw new Error('the sidecar does not answer');
      if (asksForLogin(reply)) throw new Error(LOGIN_ENDED);
      if (!reply.ok) throw new Error(await problemOf(reply));
      answer = (await reply.json()) as Answer;
    } catch (error) {
      if (asking === asked) onFailure(error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(patience);
    }
    if (asking !== asked) return;
    if (answer !== undefined) onAnswer(answer);
    timer = setTimeout(refresh, everyMs(answer));
  }
}

/** In the words of the sidecar; something in front of it may have answered. */
async function problemOf(reply: Response): Promise<string> {
  const { error } = (await reply.json().catch(() => ({}))) as { error?: string };
  return error ?? `status ${reply.status}`;
}
