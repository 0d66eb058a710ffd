import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { normalHost } from '../listen-address.ts';

/** Why a request is rejected. `reason` is a label of metrics. */
export type Refusal = {
  status: 403 | 405;
  reason: 'host' | 'origin' | 'site' | 'method';
  text: string;
};

/**
 * Why a request for `path` is rejected; undefined if a person, a program or our own page sent it. `hosts` are names as `normalHost` returns
 * them.
 *
 * A page of another site can send requests to this listener even if it cannot read the answers: each `<img>` could start a long query.
 * Browsers name the sender in `Sec-Fetch-Site`. A page on another port of this host counts as same-site but is a different sender. Both are
 * rejected, except if a user follows a link to anything but the API (page, health, metrics), which is also how a browser returns from the
 * login page of a proxy. A request without the header comes from a program or an old browser; for it the limits of
 * `sidecar/routes/questions.ts` apply.
 *
 * `isAction`: it would change something. Only our own page and programs may send it.
 */
export function refusalOf(
  { headers, method }: Pick<IncomingMessage, 'headers' | 'method'>,
  path: string,
  hosts: Set<string>,
  isAction = false,
): Refusal | undefined {
  const { host = '', origin } = headers;
  if (!hosts.has(withoutPort(host))) {
    return refused(403, 'host', 'this Host is not allowed here; add it to admin.allowed_hosts');
  }
  // A proxy may have put our Host into the request; the browser's view of the two origins decides.
  const isOurs =
    headers['sec-fetch-site'] === 'same-origin' ||
    origin === `http://${host}` ||
    origin === `https://${host}`;
  if (origin !== undefined && !isOurs) {
    return refused(403, 'origin', 'requests of other origins are not allowed');
  }
  if (isAction) return refusalOfAction(headers, method);
  if (isForeign(headers) && !isLinkTo(headers, path)) {
    return refused(403, 'site', 'requests of another site are not allowed; open this address directly');
  }
  if (method !== 'GET' && method !== 'HEAD') return refused(405, 'method', 'only GET and HEAD');
  return undefined;
}

function refusalOfAction(
  { 'sec-fetch-site': site = 'same-origin' }: IncomingHttpHeaders,
  method: string | undefined,
): Refusal | undefined {
  if (site !== 'same-origin')
    return refused(403, 'site', 'only our own page and programs may change something');
  return method === 'POST' ? undefined : refused(405, 'method', 'only POST');
}

/** `none` is a typed address or a bookmark. */
function isForeign(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** A navigation of the whole page, not of a frame in it. */
function isLinkTo(headers: IncomingHttpHeaders, path: string): boolean {
  const isPage = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return isPage && !path.startsWith('/api/');
}

/** The name in a `Host` header. `[::]` is complete, and has no port. */
function withoutPort(host: string): string {
  return normalHost(host.replace(/:\d+$/, ''));
}

function refused(status: Refusal['status'], reason: Refusal['reason'], text: string): Refusal {
  return { status, reason, text };
}
