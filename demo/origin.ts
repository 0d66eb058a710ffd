import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../service/package-root.ts';

/** A shop's application: each page takes time, and only a few are rendered at once. */
export type Origin = {
  /** `host:port` */
  address: string;
  load(): OriginLoad;
  close(): Promise<void>;
};

/** `requests`: since the last call. `waiting`: requests that wait for a free place. */
export type OriginLoad = { requests: number; waiting: number };

const PAGE_MS = 20;
const PLACES = 8;

/** `headersOf`: additional headers of the page at a path. */
export async function startOrigin(
  headersOf: (path: string) => Record<string, string> = () => ({}),
): Promise<Origin> {
  const pages = readPages();
  const queue: (() => void)[] = [];
  let busy = 0;
  let requests = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, ({ url = '' }, response) => {
    requests++;
    queue.push(() => make(url.replace(/\?.*/s, ''), response));
    next();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    load() {
      const load = { requests, waiting: queue.length };
      requests = 0;
      return load;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };

  function next(): void {
    if (busy === PLACES) return;
    const make = queue.shift();
    if (make === undefined) return;
    busy++;
    make();
  }

  function make(path: string, response: ServerResponse): void {
    setTimeout(() => {
      const page = pages.get(path);
      response.writeHead(page === undefined ? 404 : 200, {
        'content-type': 'text/html; charset=utf-8',
        ...headersOf(path),
      });
      response.end(page ?? 'no such page\n');
      busy--;
      next();
    }, PAGE_MS);
  }
}

function readPages(): Map<string, Buffer> {
  const folder = join(PACKAGE_ROOT, 'nginx/examples/pages/item');
  return new Map(readdirSync(folder).map((name) => [`/item/${name}`, readFileSync(join(folder, name))]));
}
