import { afterEach, describe, expect, jest, test } from '@jest/globals';
import {
  createQuestions,
  type QuestionLimits,
  type Questions,
} from '../../../../sidecar/routes/questions.ts';
import { until } from '../../../parts/until.ts';

const ROOMY: QuestionLimits = { waiting: 8, askers: 100, sharedMs: 60_000, longestMs: 60_000 };

describe('questions', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test('that are the same share one answer', async () => {
    const stage = setUp();
    const answers = [stage.ask('a'), stage.ask('a'), stage.ask('a')];
    expect(stage.begun).toEqual(['a']);
    stage.finish('a');
    expect(await Promise.all(answers.map(({ answer }) => answer))).toEqual(['a', 'a', 'a']);
    // Asked afterwards it is another question.
    stage.ask('a');
    expect(stage.begun).toEqual(['a', 'a']);
  });

  test('run one at a time, the cheapest first', async () => {
    const stage = setUp();
    for (const [key, cost] of Object.entries({ first: 9, dear: 5, cheap: 1, 'as cheap': 1 }))
      stage.ask(key, cost);
    for (const key of ['first', 'cheap', 'as cheap', 'dear']) {
      await until(() => stage.begun.at(-1) === key, { timeoutMs: 60_000, what: `${key} to begin` });
      stage.finish(key);
    }
    expect(stage.begun).toEqual(['first', 'cheap', 'as cheap', 'dear']);
  });

  test('are aborted when nobody waits for them, and not before', async () => {
    const stage = setUp();
    const [one, other] = [stage.ask('a'), stage.ask('a')];
    one.leave();
    await expect(one.answer).rejects.toThrow('gone');
    expect(stage.signals.get('a')?.aborted).toBe(false);
    other.leave();
    await expect(other.answer).rejects.toThrow('gone');
    expect(stage.signals.get('a')?.aborted).toBe(true);
  });

  test('are not started if their client is gone by then', async () => {
    const stage = setUp();
    stage.ask('a');
    const waiting = stage.ask('b');
    const last = stage.ask('c');
    waiting.leave();
    await expect(waiting.answer).rejects.toThrow('gone');
    stage.finish('a');
    await until(() => stage.begun.length === 2, { timeoutMs: 60_000, what: 'the next to begin' });
    stage.finish('c');
    expect(await last.answer).toBe('c');
    expect(stage.begun).toEqual(['a', 'c']);
  });

  test('start only when the previous one has ended, whether anybody waits for it or not', async () => {
    const stage = setUp({ ...ROOMY }, { obeys: false });
    const first = stage.ask('a');
    stage.ask('b');
    first.leave();
    await expect(first.answer).rejects.toThrow('gone');
    expect(stage.questions.counts()).toEqual({ running: 1, waiting: 1 });
    stage.finish('a');
    await until(() => stage.begun.length === 2, { timeoutMs: 60_000, what: 'the next to begin' });
  });

  test('that were aborted can be asked again', async () => {
    const stage = setUp({ ...ROOMY }, { obeys: false });
    const first = stage.ask('a');
    first.leave();
    await expect(first.answer).rejects.toThrow('gone');
    const again = stage.ask('a');
    stage.finish('a');
    await until(() => stage.begun.length === 2, { timeoutMs: 60_000, what: 'it to begin again' });
    stage.finish('a');
    expect(await again.answer).toBe('a');
  });

  test('beyond the limit are rejected, except cheaper ones', async () => {
    const stage = setUp({ ...ROOMY, waiting: 2 });
    stage.ask('runs', 9);
    stage.ask('long', 7);
    const longest = stage.ask('longest', 8);
    await expect(stage.ask('as long', 8).answer).rejects.toMatchObject({ reason: 'queue' });
    const short = stage.ask('short', 1);
    await expect(longest.answer).rejects.toMatchObject({ reason: 'queue' });
    stage.finish('runs');
    await until(() => stage.begun.length === 2, { timeoutMs: 60_000, what: 'the next to begin' });
    stage.finish('short');
    expect(await short.answer).toBe('short');
  });

  test('of more clients than may wait are rejected, also identical ones', async () => {
    const stage = setUp({ ...ROOMY, askers: 2 });
    const leaving = stage.ask('a');
    stage.ask('a');
    await expect(stage.ask('a').answer).rejects.toMatchObject({ reason: 'queue' });
    leaving.leave();
    await expect(leaving.answer).rejects.toThrow('gone');
    const answer = stage.ask('a');
    stage.finish('a');
    expect(await answer.answer).toBe('a');
  });

  test('that take too long are aborted', async () => {
    const stage = setUp({ ...ROOMY, longestMs: 20 });
    await expect(stage.ask('a').answer).rejects.toMatchObject({ reason: 'time' });
    expect(stage.signals.get('a')?.aborted).toBe(true);
  });

  test.each(['before', 'after'])('are replaced by others that came %s their timeout', async (when) => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    const stage = setUp({ ...ROOMY, sharedMs: 1_000 });
    const long = stage.ask('long', 9);
    if (when === 'after') jest.advanceTimersByTime(1_000);
    expect(stage.signals.get('long')?.aborted).toBe(false);
    const short = stage.ask('short', 1);
    if (when === 'before') jest.advanceTimersByTime(1_000);
    await expect(long.answer).rejects.toMatchObject({
      reason: 'time',
      message: expect.stringContaining('while others wait'),
    });
    await until(() => stage.begun.length === 2, { timeoutMs: 60_000, what: 'the next to begin' });
    stage.finish('short');
    expect(await short.answer).toBe('short');
  });

  test('that fail do not block others', async () => {
    const questions = createQuestions<string>(ROOMY);
    const signal = new AbortController().signal;
    const fails = questions.ask({ key: 'a', cost: 1, work: () => Promise.reject(new Error('no')) }, signal);
    await expect(fails).rejects.toThrow('no');
    expect(await questions.ask({ key: 'a', cost: 1, work: async () => 'yes' }, signal)).toBe('yes');
    await until(() => questions.counts().running === 0, { timeoutMs: 60_000, what: 'nothing to run' });
  });
});

type Stage = {
  questions: Questions<string>;
  /** Keys, in the order in which their work began. */
  begun: string[];
  /** The last of each key. */
  signals: Map<string, AbortSignal>;
  ask(key: string, cost?: number): { answer: Promise<string>; leave(): void };
  /** Lets the work of that key end. */
  finish(key: string): void;
};

/** Questions whose answer is their key. `obeys`: a question stops by itself when it is cancelled. */
function setUp(limits = ROOMY, { obeys = true } = {}): Stage {
  const questions = createQuestions<string>(limits);
  const begun: string[] = [];
  const signals = new Map<string, AbortSignal>();
  const ends = new Map<string, (answer: string) => void>();
  return {
    questions,
    begun,
    signals,
    ask(key, cost = 1) {
      const asker = new AbortController();
      const answer = questions.ask({ key, cost, work: (signal) => work(key, signal) }, asker.signal);
      answer.catch(() => {});
      return { answer, leave: () => asker.abort(new Error('gone')) };
    },
    finish: (key) => ends.get(key)?.(key),
  };

  function work(key: string, signal: AbortSignal): Promise<string> {
    begun.push(key);
    signals.set(key, signal);
    return new Promise((resolve, reject) => {
      ends.set(key, resolve);
      if (obeys) signal.addEventListener('abort', () => reject(signal.reason));
    });
  }
}
