import { json, type Reply, type Route, type Stream, type StreamClient } from '../service/admin/admin.ts';
import { isLoopbackAddress } from '../service/listen-address.ts';
import {
  factsOf,
  type LiveChange,
  type LiveItem,
  type LiveItemChange,
  type LiveNumbers,
  type LiveSeries,
  type LiveSnapshot,
} from './live.ts';

export type LiveFeed = {
  /** `GET /api/v1/live`: the hot list as server-sent events. */
  route: Route;
  clients(): number;
  close(): void;
};

const EVERY_MS = 500;
/** Maximum number of clients; a browser needs one, however many tabs it has. */
export const MOST_CLIENTS = 250;
/** Of these, clients of one address: a company has one, and many browsers. */
export const MOST_PER_ADDRESS = 50;
/** Of these, clients on this host that no proxy speaks for. */
export const MOST_OF_HOST = 200;
/** A client has to connect again after 15 minutes, so that a login in front of the page ends. */
const LONGEST_MS = 15 * 60_000;
/** A browser that lost the stream reconnects after this many ms. */
const RETRY_MS = 1_000;
/** The browser connects again at once, and misses nothing. */
const AGAIN = Buffer.from('event: again\ndata:\n\n');
/** The counts at the end of a series that a `change` contains. */
const TAIL = 2;

/** Why the stream of a client was ended. */
export type Ended = 'slow' | 'time' | 'failure';

type Client = StreamClient & { from: string; ticks: number };

/** The state that all clients have; strings are JSON, for comparison. */
type Told = {
  state: LiveSnapshot;
  items: Map<string, ToldItem>;
  happened: string;
  /** For those who come before the next. */
  snapshot?: Buffer;
};
type ToldItem = { numbers: string; facts: string; points: number };

/**
 * Sends `live` to all clients. It is called once for all of them, and only while there are any: it may take a millisecond or two, because
 * it scans all tracked items. If it throws, all streams end.
 */
export function createLiveFeed(
  live: () => LiveSnapshot,
  onEnded: (why: Ended) => void = () => {},
  onFailed: (error: unknown) => void = () => {},
): LiveFeed {
  const clients = new Set<Client>();
  let told: Told | undefined;
  let timer: NodeJS.Timeout | undefined;
  return {
    route: (_, __, from) => whyFull(from) ?? streamFor(from),
    clients: () => clients.size,
    close: stop,
  };

  function whyFull(from: string): Reply | undefined {
    if (clients.size >= MOST_CLIENTS) return full(`${MOST_CLIENTS} clients are connected`);
    const most = isLoopbackAddress(from) ? MOST_OF_HOST : MOST_PER_ADDRESS;
    const same = [...clients].filter((client) => client.from === from).length;
    return same < most ? undefined : full(`${most} clients of this address are connected`);
  }

  function streamFor(from: string): Stream {
    return {
      type: 'text/event-stream; charset=utf-8',
      open: (client, asker) => begin({ ...client, from, ticks: 0 }, asker),
    };
  }

  function begin(client: Client, asker: AbortSignal): void {
    timer ??= setInterval(tell, EVERY_MS);
    told ??= toldOf(live());
    told.snapshot ??= Buffer.from(`retry: ${RETRY_MS}\n${eventOf('snapshot', told.state)}`);
    clients.add(client);
    asker.addEventListener('abort', () => remove(client));
    deliver(client, told.snapshot);
  }

  function remove(client: Client): void {
    clients.delete(client);
    if (clients.size === 0) stop();
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    told = undefined;
  }

  /** Something is sent each time: it is also the sign of life. */
  function tell(): void {
    if (told === undefined) return;
    let bytes: Buffer;
    try {
      const next = toldOf(live());
      bytes = Buffer.from(newsOf(told, next));
      told = next;
    } catch (error) {
      fail(error);
      return;
    }
    for (const client of clients) {
      client.ticks++;
      if (client.ticks * EVERY_MS >= LONGEST_MS) dismiss(client);
      else deliver(client, bytes);
    }
  }

  /** Nothing is shown as live that is not: each client connects again. */
  function fail(error: unknown): void {
    onFailed(error);
    for (const client of clients) {
      onEnded('failure');
      client.end();
      remove(client);
    }
  }

  function deliver(client: Client, bytes: Buffer): void {
    if (client.write(bytes)) return;
    onEnded('slow');
    remove(client);
  }

  function dismiss(client: Client): void {
    onEnded('time');
    if (client.write(AGAIN)) client.end();
    remove(client);
  }
}

function full(why: string): Reply {
  const error = `${why}, which is the most`;
  return {
    ...json(503, { error }),
    headers: { 'retry-after': '10', connection: 'close' },
    refused: 'streams',
  };
}

function toldOf(state: LiveSnapshot): Told {
  const items = new Map(
    state.items.map((item) => [
      item.item,
      {
        numbers: JSON.stringify(numbersOf(item)),
        facts: JSON.stringify(factsOf(item)),
        points: item.series.all.length,
      },
    ]),
  );
  return { state, items, happened: JSON.stringify(state.happened) };
}

function numbersOf({ item, ten, minute, page, limit, ends }: LiveItem): LiveNumbers {
  return {
    item,
    ten,
    minute,
    ...(page !== undefined && { page }),
    ...(limit !== undefined && { limit }),
    ...(ends !== undefined && { ends }),
  };
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
    gone: [...before.items.keys()].filter((item) => !next.items.has(item)),
    ...(before.happened !== next.happened && { happened }),
  };
  return eventOf('change', change);
}

function changeOf(item: LiveItem, before: Told, next: Told, passed: number): (LiveItem | LiveItemChange)[] {
  const known = before.items.get(item.item);
  const now = next.items.get(item.item);
  if (known === undefined || known.points !== now?.points) return [item];
  const isSame = known.facts === now.facts;
  if (passed === 0 && isSame && known.numbers === now.numbers) return [];
  return [{ ...numbersOf(item), tail: tailOf(item.series), ...(!isSame && { facts: factsOf(item) }) }];
}

function tailOf({ all, people }: LiveSeries): LiveSeries {
  return { all: all.slice(-TAIL), people: people.slice(-TAIL) };
}

/** JSON contains no line breaks. */
function eventOf(name: string, value: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;
}
