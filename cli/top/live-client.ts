import type { LiveChange, LiveSnapshot } from '../../heat/live.ts';
import { applyChange } from '../../page/live-state.ts';
import { linkSignals } from '../../service/linked-signal.ts';
import { plainText } from '../../service/plain-text.ts';
import { Trouble } from '../../service/trouble.ts';

const PATH = '/api/v1/live';
/** The sidecar sends something every half second. */
const TIMEOUT_MS = 5_000;
/** Of one event; 10,000 hot items fit. */
const MOST_CHARACTERS = 64 * 1024 * 1024;

export type LiveOptions = {
  base: string;
  signal: AbortSignal;
  /** How long the stream may be silent. */
  timeoutMs?: number;
};

/**
 * The hot list of the sidecar at `base`, each time it changes. Throws a `Trouble` if the stream does not open, breaks, falls silent, or ends
 * unannounced. The sidecar announces the end of a long stream: then the next one is opened.
 */
export async function* liveStates(options: LiveOptions): AsyncGenerator<LiveSnapshot> {
  const at = new URL(options.base).host;
  while (yield* statesOf(options, at));
  throw new Trouble(`${at} ended the stream`);
}

/** One stream. Returns whether its end was announced. */
async function* statesOf(
  { base, signal, timeoutMs = TIMEOUT_MS }: LiveOptions,
  at: string,
): AsyncGenerator<LiveSnapshot, boolean> {
  const silent = new AbortController();
  const timer = setTimeout(() => silent.abort(), timeoutMs);
  const { signal: either, unlink } = linkSignals(signal, silent.signal);
  let state: LiveSnapshot | undefined;
  try {
    const body = await open(base, at, either);
    for await (const { name, data } of eventsOf(body, timer)) {
      if (name === 'again' && state !== undefined) return true;
      if (name === 'snapshot') state = toValue<LiveSnapshot>(data, at);
      else if (name === 'change' && state !== undefined)
        state = applyChange(state, toValue<LiveChange>(data, at));
      else continue;
      yield state;
    }
    return false;
  } catch (error) {
    throw silent.signal.aborted && state !== undefined ? new Trouble('it says nothing any more') : error;
  } finally {
    clearTimeout(timer);
    unlink();
  }
}

async function open(base: string, at: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const reply = await fetch(`${base}${PATH}`, {
    signal,
    redirect: 'manual',
    headers: { accept: 'text/event-stream' },
  }).catch(() => {
    throw new Trouble(`nothing answers at ${at}`, 'Is the sidecar running? It listens on admin.listen.');
  });
  const type = reply.headers.get('content-type') ?? '';
  if (reply.ok && reply.body !== null && type.startsWith('text/event-stream')) return reply.body;
  const said = (await reply.text().catch(() => '')).trim().split('\n', 1)[0] ?? '';
  if (reply.status === 404)
    throw new Trouble(
      'the sidecar does not detect hot items',
      'heat.enabled is false, or the sidecar has an older version.',
    );
  throw new Trouble(`${at} answers ${reply.status}: ${plainText(said, 200)}`);
}

/** Server-sent events, as the sidecar writes them: a name and one line of data each. Each chunk is a sign of life for `timer`. */
async function* eventsOf(
  body: AsyncIterable<Uint8Array>,
  timer: NodeJS.Timeout,
): AsyncGenerator<{ name: string; data: string }> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body) {
      timer.refresh();
      rest += decoder.decode(chunk, { stream: true });
      if (rest.length > MOST_CHARACTERS) throw new Trouble('the stream has an event that is too long');
      const events = rest.split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) yield { name: lineOf(event, 'event: '), data: lineOf(event, 'data: ') };
    }
  } catch (error) {
    throw error instanceof Trouble ? error : new Trouble('the stream broke');
  }
}

function lineOf(event: string, name: string): string {
  return (
    event
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.slice(name.length) ?? ''
  );
}

function toValue<T>(data: string, at: string): T {
  try {
    return JSON.parse(data) as T;
  } catch {
    throw new Trouble(`${at} sends a stream that is not hotitem's`);
  }
}
