import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Route } from '../../service/admin/admin.ts';
import { PACKAGE_ROOT } from '../../service/package-root.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

const BUILD_LENGTH = 12;

export type PageRoutes = {
  routes: Record<string, Route>;
  /** Differs where a file does: a page that is open learns from it that the sidecar has another one now. */
  build: string;
};

/** The live page as it was built: a few files, read once. Throws if it was not built. */
export function createPageRoutes(): PageRoutes {
  const folder = join(PACKAGE_ROOT, 'dist/page');
  const routes: Record<string, Route> = {};
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const body = readFileSync(join(folder, name));
    hash.update(body);
    const gzip = gzipSync(body, { level: 9 });
    routes[name === 'index.html' ? '/' : `/${name}`] = () => ({ status: 200, type, body, gzip });
  }
  if (routes['/'] === undefined) throw new Error(`${folder} has no page: run npm run build`);
  return { routes, build: hash.digest('hex').slice(0, BUILD_LENGTH) };
}
