import type { IncomingMessage } from 'node:http';
import { json, type Route } from '../service/admin/admin.ts';
import { toJson } from '../service/json-text.ts';
import { readBody } from '../service/read-body.ts';
import type { IntakeRoute } from '../sidecar/ingest/intake.ts';
import { type SocketRoute, sendJson } from '../sidecar/socket/socket-route.ts';
import type { ExplainedItem, HotList, WholeHotList } from './hot-list.ts';
import { type Commanded, runHotCommand } from './run-hot-command.ts';

export type HotSource = Commanded & {
  list(): HotList;
  /** Of the list. */
  version(): number;
  whole(): WholeHotList;
  explain(item: string): ExplainedItem;
  /** Resolves when the version is not `version`, or when `signal` is aborted. */
  changed(version: number, signal: AbortSignal): Promise<void>;
};

/** Longest wait: also the longest delay of a stop of the sidecar. */
const LONGEST_WAIT_MS = 5_000;
const MOST_BYTES = 16 * 1024;

/** `GET /api/v1/hot` on the admin listener: hot items with reasons, and items held back by the cap. */
export function createHotPageRoute(source: HotSource): Route {
  return () => json(200, source.whole());
}

/**
 * `GET /v1/hot` on the intake socket, for nginx's workers and applications that run as their user: hot items, read-only. With
 * `?version=V&wait=MS` it answers when the version is not V, or 204 after the wait.
 */
export function createHotReadRoute(source: HotSource): IntakeRoute {
  return async ({ method, query, gone }) => {
    if (method !== 'GET') return { status: 405, value: { error: 'only GET' } };
    return (await isNews(source, query, gone)) ? { status: 200, value: source.list() } : { status: 204 };
  };
}

/** The same on the control socket, with what only the owner may see. POST runs a `HotCommand`. */
export function createHotControlRoute(source: HotSource): SocketRoute {
  return (request, response) => {
    if (request.method === 'POST') {
      void command(request).then(({ status, value }) => sendJson(response, status, value));
      return;
    }
    request.resume();
    if (request.method !== 'GET') {
      sendJson(response, 405, { error: 'only GET and POST' });
      return;
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    void isNews(source, queryOf(request), gone.signal).then((news) =>
      news ? sendJson(response, 200, source.whole()) : sendJson(response, 204),
    );
  };

  async function command(request: IncomingMessage): Promise<{ status: number; value: unknown }> {
    const { status, error, purged } = await runHotCommand(source, await commandIn(request));
    if (error !== undefined) return { status, value: { error } };
    return { status, value: { ...source.whole(), ...(purged !== undefined && { purged }) } };
  }
}

/** `GET /v1/hot/item?item=ITEM` on the control socket: everything known about one item. */
export function createHotItemRoute(source: HotSource): SocketRoute {
  return (request, response) => {
    request.resume();
    const item = queryOf(request).get('item') ?? '';
    if (request.method !== 'GET') sendJson(response, 405, { error: 'only GET' });
    else if (item === '') sendJson(response, 400, { error: 'item: must be there' });
    else sendJson(response, 200, source.explain(item));
  };
}

/** Waits if the query asks for it. Returns false if the list still has the version in `query`. */
async function isNews(source: HotSource, query: URLSearchParams, gone: AbortSignal): Promise<boolean> {
  const version = Number(query.get('version') ?? Number.NaN);
  const wait = Number(query.get('wait') ?? 0);
  if (source.version() !== version) return true;
  if (!(wait > 0)) return false;
  const end = new AbortController();
  const stop = () => end.abort();
  gone.addEventListener('abort', stop);
  const timer = setTimeout(stop, Math.min(wait, LONGEST_WAIT_MS));
  await source.changed(version, end.signal);
  clearTimeout(timer);
  return source.version() !== version;
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at === -1 ? '' : url.slice(at + 1));
}

/** Undefined if there is none, or if it is too long. */
async function commandIn(request: IncomingMessage): Promise<unknown> {
  return toJson(await readBody(request, MOST_BYTES).catch(() => undefined));
}
