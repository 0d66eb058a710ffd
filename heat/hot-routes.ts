import type { IncomingMessage } from 'node:http';
import { json, type Route } from '../service/admin/admin.ts';
import { reasonOf } from '../service/log.ts';
import type { IntakeRoute } from '../sidecar/ingest/intake.ts';
import { type SocketRoute, sendJson } from '../sidecar/socket/socket-route.ts';
import { type HotCommand, hotCommand } from './hot-command.ts';
import type { ExplainedItem, HotList, WholeHotList } from './hot-list.ts';
import { TooManyOverrides } from './overrides.ts';

export type HotSource = {
  list(): HotList;
  whole(): WholeHotList;
  explain(item: string): ExplainedItem;
  /** Resolves when it is in force and on disk. */
  command(command: HotCommand): Promise<void>;
  /** Resolves when the version is not `version`, at the latest when `signal` is aborted. */
  changed(version: number, signal: AbortSignal): Promise<void>;
};

/** A sidecar that stops waits as long as the last of its askers. */
const LONGEST_WAIT_MS = 5_000;
const MOST_BYTES = 16 * 1024;

/** `GET /api/v1/hot` on the admin listener: what is hot and why, and what the cap holds back. */
export function createHotPageRoute(source: HotSource): Route {
  return () => json(200, source.whole());
}

/**
 * `GET /v1/hot` on the socket of the intake, for nginx's workers and the applications beside them: what is hot. With `?version=V&wait=MS` at once
 * when its version is not V, else when it changes; 204 when it does not within the wait. To change anything is not for them.
 */
export function createHotReadRoute(source: HotSource): IntakeRoute {
  return async ({ method, query, gone }) => {
    if (method !== 'GET') return { status: 405, value: { error: 'only GET' } };
    return (await isNews(source, query, gone)) ? { status: 200, value: source.list() } : { status: 204 };
  };
}

/** The same on the control socket, with all that the owner may know; POST does what a `HotCommand` says. */
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
    const read = hotCommand.safeParse(await bodyOf(request));
    if (!read.success) {
      const problems = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
      return { status: 400, value: { error: problems.join('; ') } };
    }
    try {
      await source.command(read.data);
      return { status: 200, value: source.whole() };
    } catch (error) {
      return { status: error instanceof TooManyOverrides ? 409 : 500, value: { error: reasonOf(error) } };
    }
  }
}

/** `GET /v1/hot/item?item=ITEM` on the control socket: everything that is known of one item. */
export function createHotItemRoute(source: HotSource): SocketRoute {
  return (request, response) => {
    request.resume();
    const item = queryOf(request).get('item') ?? '';
    if (request.method !== 'GET') sendJson(response, 405, { error: 'only GET' });
    else if (item === '') sendJson(response, 400, { error: 'item: must be there' });
    else sendJson(response, 200, source.explain(item));
  };
}

/** Whether there is anything to tell to who knows the version in `query`; waits for it where he does. */
async function isNews(source: HotSource, query: URLSearchParams, gone: AbortSignal): Promise<boolean> {
  const version = Number(query.get('version') ?? Number.NaN);
  const wait = Number(query.get('wait') ?? 0);
  if (source.list().version !== version) return true;
  if (!(wait > 0)) return false;
  const end = new AbortController();
  const stop = () => end.abort();
  gone.addEventListener('abort', stop);
  const timer = setTimeout(stop, Math.min(wait, LONGEST_WAIT_MS));
  await source.changed(version, end.signal);
  clearTimeout(timer);
  return source.list().version !== version;
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at === -1 ? '' : url.slice(at + 1));
}

/** The JSON in a request; undefined where there is none, or more than anybody needs. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  try {
    for await (const chunk of request) if (text.length < MOST_BYTES) text += chunk;
    return text.length < MOST_BYTES ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
