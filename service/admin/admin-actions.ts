import type { IncomingMessage } from 'node:http';
import { toJson } from '../json-text.ts';
import { readBody } from '../read-body.ts';
import { type Asker, askerOf } from './asker.ts';
import { isToken } from './control-token.ts';

/** The answer of an action; `value` becomes JSON. */
export type ActionResult = { status: number; value: unknown };

/** Changes something. `body`: the JSON of the request, not checked yet. */
export type Action = (body: unknown) => Promise<ActionResult>;

export type Actions = {
  /** By path. */
  routes: Record<string, Action>;
  /** The token as it is now. Throws if it cannot be read. */
  token: () => string;
  now: () => number;
  /** It cannot be read: control is refused. */
  onNoToken: (error: unknown) => void;
  /** A request with a token that is wrong. Not called for those beyond the limit. */
  onWrongToken: (refusal: Asker & { path: string }) => void;
};

/** Why an action is refused: a label of metrics. */
export type ActionRefusal = 'listener' | 'type' | 'query' | 'token' | 'limit' | 'busy' | 'size' | 'json';

export type ActionAnswer = ActionResult & { refused?: ActionRefusal; headers?: Record<string, string> };

export type ActionRoutes = {
  /** Answers a request to that path, whose host, origin and method are accepted; undefined if nothing can be changed there. */
  of(path: string): ((request: IncomingMessage, url: URL) => Promise<ActionAnswer>) | undefined;
};

/** Wrong tokens in `FAILURES_MS`. Beyond these a wrong token is not noted, until the first of them is as old. The right one is always accepted. */
export const MOST_FAILURES = 10;
const FAILURES_MS = 60_000;
/** Of one action, since a purge takes seconds and a freeze must not wait for it. */
const MOST_AT_ONCE = 8;
const MOST_BYTES = 16 * 1024;
const JSON_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

/**
 * Answers requests that change something. Each needs the token in `Authorization`. Nothing of the body is read before the token is right, so a
 * client without it cannot make this process wait or remember anything, or keep out others. `isLoopback`: whether the listener is reached
 * from this host only; without TLS a token must not cross a network.
 */
export function createActions(
  { routes, token, now, onNoToken, onWrongToken }: Actions,
  isLoopback: () => boolean,
): ActionRoutes {
  const known = new Map(Object.entries(routes));
  let failures: number[] = [];
  const running = new Map<string, number>();
  return {
    of(path) {
      const action = known.get(path);
      return action && ((request, url) => answer(action, request, url));
    },
  };

  async function answer(action: Action, request: IncomingMessage, url: URL): Promise<ActionAnswer> {
    const refusal = refusalOf(request, url);
    if (refusal !== undefined) return refusal;
    const { pathname } = url;
    const before = running.get(pathname) ?? 0;
    if (before >= MOST_AT_ONCE) return refused(503, 'busy', 'too many of these at once, try again');
    running.set(pathname, before + 1);
    try {
      const text = await readBody(request, MOST_BYTES);
      if (text === undefined) return refused(413, 'size', `the body has more than ${MOST_BYTES} bytes`);
      const body = text.trim() === '' ? {} : toJson(text);
      if (body === undefined) return refused(400, 'json', 'the body is not JSON');
      return await action(body);
    } finally {
      running.set(pathname, (running.get(pathname) ?? 1) - 1);
    }
  }

  function refusalOf(request: IncomingMessage, url: URL): ActionAnswer | undefined {
    const { headers } = request;
    if (!isLoopback())
      return refused(403, 'listener', 'control works only while admin.listen is a loopback address');
    // A token, too, would stand in logs and histories.
    if (url.search !== '') return refused(400, 'query', 'a query is not accepted: the body has everything');
    if (!JSON_TYPE.test(headers['content-type'] ?? ''))
      return refused(415, 'type', 'Content-Type must be application/json');
    const [, given] = /^Bearer ([\x21-\x7e]+)$/i.exec(headers.authorization ?? '') ?? [];
    if (given === undefined) return unauthorized('Authorization: Bearer TOKEN is missing');
    const right = tokenNow();
    if (right === undefined) return refused(503, 'token', 'the token cannot be read; see the log');
    // First: nobody may keep out who has the token. It cannot be guessed; the limit is for logs and the audit.
    if (isToken(given, right)) return undefined;
    const waitMs = limitedFor(now());
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      return {
        ...refused(429, 'limit', `too many wrong tokens, try again in ${seconds} s`),
        headers: { 'retry-after': String(seconds) },
      };
    }
    failures.push(now());
    onWrongToken({ path: url.pathname, ...askerOf(request) });
    return unauthorized('the token is wrong');
  }

  /** How long wrong tokens are not noted, in ms. */
  function limitedFor(time: number): number {
    failures = failures.filter((at) => at <= time && time - at < FAILURES_MS);
    const [first = time] = failures;
    return failures.length < MOST_FAILURES ? 0 : first + FAILURES_MS - time;
  }

  function tokenNow(): string | undefined {
    try {
      return token();
    } catch (error) {
      onNoToken(error);
      return undefined;
    }
  }
}

function unauthorized(error: string): ActionAnswer {
  return { ...refused(401, 'token', error), headers: { 'www-authenticate': 'Bearer realm="hotitem"' } };
}

function refused(status: number, reason: ActionRefusal, error: string): ActionAnswer {
  return { status, value: { error }, refused: reason };
}
