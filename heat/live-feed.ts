import { json, type Reply, type Route, type Stream } from '../service/admin/admin.ts';
import type { LiveChange, LiveItem, LiveItemChange, LiveSeries, LiveSnapshot } from './live.ts';

export type LiveFeed = {
  /** `GET /api/v1/live`: the hot list as server-sent events. */
  route: Route;
  clients(): number;
  close(): void;
};

const EVERY_MS = 500;
/** Maximum number of clients; a browser needs one, however many tabs it has. */
export const MOST_CLIENTS = 200;
/** A browser that lost the stream reconnects after this many ms. */
const RETRY_MS = 1_000;
/** The counts at the end of a series that a `change` contains. */
const TAIL = 2;

type Write = (text: string) => boolean;

/** The state that all clients have: `text` and `happened` as JSON, for comparison. */
type Told = { state: LiveSnapshot; numbers: Map<string, Numbers>; happened: string };
type Numbers = { text: string; points: number };

/**
 * Sends `live` to all clients. It is called once for all of them, and only while there are any: it may take a millisecond or two, because
 * it scans all tracked items.
 */
export function createLiveFeed(live: () => LiveSnapshot): LiveFeed {
  const clients = new Set<Write>();
  let told: Told | undefined;
  let timer: NodeJS.Timeout | undefined;
  const stream: Stream = { type: 'text/event-stream; charset=utf-8', open: begin };
  return {
    route: () => (clients.size < MOST_CLIENTS ? stream : full()),
    clients: () => clients.size,
    close: stop,
  };

  function begin(write: Write, asker: AbortSignal): void {
    timer ??= setInterval(tell, EVERY_MS);
    told ??= toldOf(live());
    clients.add(write);
    asker.addEventListener('abort', () => end(write));
    deliver(write, `retry: ${RETRY_MS}\n${eventOf('snapshot', told.state)}`);
  }

  function end(write: Write): void {
    clients.delete(write);
    if (clients.size === 0) stop();
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    told = undefined;
  }

  function tell(): void {
    if (told === undefined) return;
    const next = toldOf(live());
    const text = newsOf(told, next);
    told = next;
    for (const write of clients) deliver(write, text);
  }

  function deliver(write: Write, text: string): void {
    if (!write(text)) end(write);
  }
}

function full(): Reply {
  const error = `${MOST_CLIENTS} clients are connected, which is the most`;
  return { ...json(503, { error }), headers: { 'retry-after': '10' } };
}

function toldOf(state: LiveSnapshot): Told {
  const numbers = new Map(
    state.items.map(({ series, ...rest }) => [
      rest.item,
      { text: JSON.stringify(rest), points: series.all.length },
    ]),
  );
  return { state, numbers, happened: JSON.stringify(state.happened) };
}

/** The event that updates a client from `before` to `next`. */
function newsOf(before: Told, next: Told): string {
  const { head, items, happened } = next.state;
  const passed = head.five - before.state.head.five;
  // The tail of a series would be too short.
  if (passed < 0 || passed >= TAIL) return eventOf('snapshot', next.state);
  const change: LiveChange = {
    head,
    items: items.flatMap((item) => changeOf(item, before, next, passed)),
    gone: [...before.numbers.keys()].filter((item) => !next.numbers.has(item)),
    ...(before.happened !== next.happened && { happened }),
  };
  return eventOf('change', change);
}

function changeOf(item: LiveItem, before: Told, next: Told, passed: number): (LiveItem | LiveItemChange)[] {
  const known = before.numbers.get(item.item);
  if (known === undefined || known.points !== item.series.all.length) return [item];
  if (passed === 0 && known.text === next.numbers.get(item.item)?.text) return [];
  const { series, ...numbers } = item;
  return [{ ...numbers, tail: tailOf(series) }];
}

function tailOf({ all, people }: LiveSeries): LiveSeries {
  return { all: all.slice(-TAIL), people: people.slice(-TAIL) };
}

/** JSON contains no line breaks. */
function eventOf(name: string, value: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;
}
