import type { LiveChange, LiveSnapshot } from '../../heat/live.ts';
import { applyChange } from '../../page/live-state.ts';
import { plainText } from '../../service/plain-text.ts';
import { Trouble } from '../../service/trouble.ts';

const PATH = '/api/v1/live';
const TIMEOUT_MS = 5_000;
/** Of one event; 10,000 hot items fit. */
const MOST_CHARACTERS = 64 * 1024 * 1024;

/** The hot list of the sidecar at `base`, each time it changes. Throws a `Trouble` if the stream does not open, breaks, or ends. */
export async function* liveStates(base: string, signal: AbortSignal): AsyncGenerator<LiveSnapshot> {
  const at = new URL(base).host;
  let state: LiveSnapshot | undefined;
  for await (const { name, data } of eventsOf(await open(base, at, signal))) {
    if (name === 'snapshot') state = toValue<LiveSnapshot>(data, at);
    else if (name === 'change' && state !== undefined)
      state = applyChange(state, toValue<LiveChange>(data, at));
    else continue;
    yield state;
  }
  throw new Trouble(`${at} ended the stream`);
}

async function open(base: string, at: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const slow = new AbortController();
  const timer = setTimeout(() => slow.abort(), TIMEOUT_MS);
  const reply = await fetch(`${base}${PATH}`, {
    signal: AbortSignal.any([signal, slow.signal]),
    redirect: 'manual',
    headers: { accept: 'text/event-stream' },
  })
    .catch(() => {
      throw new Trouble(`nothing answers at ${at}`, 'Is the sidecar running? It listens on admin.listen.');
    })
    .finally(() => clearTimeout(timer));
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

/** Server-sent events, as the sidecar writes them: a name and one line of data each. */
async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<{ name: string; data: string }> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body) {
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
