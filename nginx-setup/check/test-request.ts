import type { Directive } from '../conf/directives.ts';
import { isFor, locate } from '../conf/locate.ts';
import { blockAround, childrenOf, type Site } from '../conf/site.ts';
import type { Capture } from './captures.ts';
import { examplesOf } from './examples.ts';
import { itemsOf } from './taken-rules.ts';

/** How to request a page that this nginx captures. */
export type TestRequest = {
  /** `location /web/item/` */
  location: string;
  /** Where it listens: a unix socket, or host and port. */
  listen: { socketPath: string } | { host: string; port: number };
  tls: boolean;
  /** The server's name, for `Host` and TLS; undefined if it has none. */
  name: string | undefined;
  path: string;
};

/** An item that hardly any shop has: the cheapest page for the application. */
const NO_PAGE = 'hotitem-doctor';

/** One request per location that captures, as far as the configuration shows how to reach it. */
export function testRequests(site: Site, captures: Capture[]): TestRequest[] {
  const items = itemsOf(site);
  return captures.flatMap(({ spot, block, location }) => {
    const server = blockAround(spot, 'server');
    if (server === undefined || block === undefined) return [];
    const path = [...pathsOf(block), ...items.examples].find(
      (uri) => isFor(block, uri) && locate(server, uri) === block && items.isItem(uri),
    );
    const listening = listenersOf(server)[0];
    if (path === undefined || listening === undefined) return [];
    return [{ location, ...listening, name: plainName(server), path }];
  });
}

function pathsOf({ args }: Directive): string[] {
  const [, modifier = '', pattern = ''] = /^(=|\^~|~\*|~)? ?(.*)$/s.exec(args.join(' ')) ?? [];
  if (modifier === '=') return [pattern];
  if (modifier === '~' || modifier === '~*') return examplesOf(pattern, modifier === '~*');
  const below = pattern.endsWith('/') ? pattern : `${pattern}/`;
  return [`${below}${NO_PAGE}`, `${below}${NO_PAGE}.html`, `${below}4711`, `${below}4711.html`, pattern];
}

type Listening = Pick<TestRequest, 'listen' | 'tls'>;

/** Listeners that a plain HTTP or HTTPS request can use: not those with the PROXY protocol or QUIC. */
function listenersOf(server: Directive): Listening[] {
  const listens = [...childrenOf(server.block ?? [])].filter(({ name }) => name === 'listen');
  if (listens.length === 0) return [{ listen: { host: '127.0.0.1', port: 80 }, tls: false }];
  return listens
    .filter(({ args }) => !args.includes('proxy_protocol') && !args.includes('quic'))
    .flatMap(({ args }) => {
      const listen = addressOf(args[0] ?? '');
      return listen === undefined ? [] : [{ listen, tls: args.includes('ssl') }];
    });
}

function addressOf(text: string): TestRequest['listen'] | undefined {
  if (text.startsWith('unix:')) return { socketPath: text.slice('unix:'.length) };
  const [, address, port] = /^(?:(\[[^\]]*\]|[^:]+):)?(\d+)$/.exec(text) ?? [];
  if (port !== undefined) return { host: hostOf(address ?? '*'), port: Number(port) };
  return text === '' ? undefined : { host: hostOf(text), port: 80 };
}

function hostOf(address: string): string {
  if (address === '*' || address === '0.0.0.0') return '127.0.0.1';
  const bare = address.replace(/^\[|\]$/g, '');
  return bare === '::' ? '::1' : bare;
}

/** Undefined if no request could ask for one. */
function plainName(server: Directive): string | undefined {
  const names = [...childrenOf(server.block ?? [])].filter(({ name }) => name === 'server_name');
  return names.flatMap(({ args }) => args).find((name) => /^[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(name));
}
