import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { normalHost } from '../listen-address.ts';

/** Why a request is not served. `reason` is a label of metrics. */
export type Refusal = {
  status: 403 | 405;
  reason: 'host' | 'origin' | 'site' | 'method';
  text: string;
};

/**
 * Why a request for `path` is not served; undefined where a person, a program or our own page sent it. `hosts` are names as
 * `normalHost` returns them.
 *
 * A page elsewhere can send requests to this listener that it need not be able to read: each `<img>` may start a long query.
 * Browsers name the sender in `Sec-Fetch-Site`. Another port of this host is the same site and another sender; both are refused,
 * except a link that a user follows to anything but the API: the page, health, metrics. That is also how a browser comes back from
 * the login of a proxy before us. A request without the header comes from a program or an old browser; the limits of
 * `sidecar/routes/questions.ts` hold for it.
 */
export function refusalOf(
  { headers, method }: Pick<IncomingMessage, 'headers' | 'method'>,
  path: string,
  hosts: Set<string>,
): Refusal | undefined {
  const { host = '', origin } = headers;
  if (!hosts.has(withoutPort(host))) {
    return refused(403, 'host', 'this Host is not allowed here; add it to admin.allowed_hosts');
  }
  // A proxy may have written our Host into the request; what the browser says of the two origins holds.
  const isOurs =
    headers['sec-fetch-site'] === 'same-origin' ||
    origin === `http://${host}` ||
    origin === `https://${host}`;
  if (origin !== undefined && !isOurs) {
    return refused(403, 'origin', 'requests of other origins are not allowed');
  }
  if (isForeign(headers) && !isLinkTo(headers, path)) {
    return refused(403, 'site', 'requests of another site are not allowed; open this address directly');
  }
  if (method !== 'GET' && method !== 'HEAD') return refused(405, 'method', 'only GET and HEAD');
  return undefined;
}

/** `none` is a typed address or a bookmark. */
function isForeign(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** A whole page that takes the place of the one before, not a frame in it. */
function isLinkTo(headers: IncomingHttpHeaders, path: string): boolean {
  const isPage = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return isPage && !path.startsWith('/api/');
}

/** What a `Host` names. `[::]` is the whole of it, and ends in no port. */
function withoutPort(host: string): string {
  return normalHost(host.replace(/:\d+$/, ''));
}

function refused(status: Refusal['status'], reason: Refusal['reason'], text: string): Refusal {
  return { status, reason, text };
}
