import { abortable } from '../../service/abortable.ts';

export type Question<Answer> = {
  /** Concurrent queries with the same key share one answer. */
  key: string;
  /** Of the waiting queries, the cheapest runs next. */
  cost: number;
  /** Cancels when `signal` is aborted, and settles as soon as that is done. */
  work: (signal: AbortSignal) => Promise<Answer>;
};

export type Questions<Answer> = {
  /** Rejects with a `NotAnswered`, or with the reason of `asker` if that is aborted. */
  ask(question: Question<Answer>, asker: AbortSignal): Promise<Answer>;
  counts(): { running: number; waiting: number };
};

export type QuestionLimits = {
  /** Maximum number of waiting queries. */
  waiting: number;
  /** Maximum number of clients that wait, over all queries. */
  askers: number;
  /** How long a query may run while others wait. */
  sharedMs: number;
  /** How long a query may run. */
  longestMs: number;
};

/** Why a query has no answer: there are too many, or it takes too long. */
export class NotAnswered extends Error {
  override name = 'NotAnswered';
  readonly reason: 'queue' | 'time';

  constructor(reason: 'queue' | 'time', message: string) {
    super(message);
    this.reason = reason;
  }
}

type Asked<Answer> = Question<Answer> & {
  askers: number;
  answer: Promise<Answer>;
  settle: (answer: Answer | Promise<Answer>) => void;
  stop: AbortController;
};

/**
 * A queue for slow queries, of which one runs at a time. Goals: identical queries run once; no query
 * makes others wait for longer than `sharedMs`; a query that no client waits for is cancelled; the number of
 * clients and queries is limited. Invariant: the next query starts only when the one before has settled, whoever waits for it.
 */
export function createQuestions<Answer>(limits: QuestionLimits): Questions<Answer> {
  /** In order of arrival. */
  const waiting = new Set<Asked<Answer>>();
  let running: Asked<Answer> | undefined;
  let runsLong = false;
  let askers = 0;
  return { ask, counts: () => ({ running: running === undefined ? 0 : 1, waiting: waiting.size }) };

  async function ask(question: Question<Answer>, asker: AbortSignal): Promise<Answer> {
    asker.throwIfAborted();
    if (askers >= limits.askers) throw tooMany();
    const asked = same(question.key) ?? add(question);
    askers++;
    asked.askers++;
    try {
      return await abortable(asker, asked.answer);
    } finally {
      askers--;
      asked.askers--;
      if (asked.askers === 0) drop(asked, asker.reason);
    }
  }

  function same(key: string): Asked<Answer> | undefined {
    const candidates = running === undefined ? [...waiting] : [running, ...waiting];
    return candidates.find((asked) => asked.key === key && !asked.stop.signal.aborted);
  }

  function add(question: Question<Answer>): Asked<Answer> {
    if (waiting.size >= limits.waiting) makeRoom(question);
    const asked = toAsked(question);
    waiting.add(asked);
    if (runsLong) giveWay();
    next();
    return asked;
  }

  /** The most expensive waiting query is dropped for a cheaper one. */
  function makeRoom({ cost }: Question<Answer>): void {
    const dearest = [...waiting].reduce((a, b) => (b.cost >= a.cost ? b : a));
    if (dearest.cost <= cost) throw tooMany();
    drop(dearest, tooMany());
  }

  function drop(asked: Asked<Answer>, reason: unknown): void {
    asked.stop.abort(reason);
    if (waiting.delete(asked)) asked.settle(Promise.reject(reason));
  }

  function next(): void {
    if (running !== undefined || waiting.size === 0) return;
    running = [...waiting].reduce((a, b) => (b.cost < a.cost ? b : a));
    waiting.delete(running);
    void run(running);
  }

  async function run({ work, stop, settle }: Asked<Answer>): Promise<void> {
    const timers = [
      setTimeout(() => {
        runsLong = true;
        if (waiting.size > 0) giveWay();
      }, limits.sharedMs),
      setTimeout(() => stop.abort(tooLong(limits.longestMs)), limits.longestMs),
    ];
    const done = (async () => work(stop.signal))();
    settle(abortable(stop.signal, done));
    await done.catch(() => {});
    for (const timer of timers) clearTimeout(timer);
    runsLong = false;
    running = undefined;
    next();
  }

  function giveWay(): void {
    running?.stop.abort(tooLong(limits.sharedMs, ' while others wait'));
  }
}

function toAsked<Answer>(question: Question<Answer>): Asked<Answer> {
  let settle: Asked<Answer>['settle'] = () => {};
  const answer = new Promise<Answer>((resolve) => {
    settle = resolve;
  });
  // The client may have disconnected.
  answer.catch(() => {});
  return { ...question, askers: 0, answer, settle, stop: new AbortController() };
}

function tooMany(): NotAnswered {
  return new NotAnswered('queue', 'too many queries at once, try again');
}

function tooLong(ms: number, why = ''): NotAnswered {
  return new NotAnswered('time', `this takes longer than ${ms / 1000} s${why}: use a shorter window`);
}
