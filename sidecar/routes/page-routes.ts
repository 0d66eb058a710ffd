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

/** The live page as it was built: a few files, read once. Throws if it was not built. */
export function createPageRoutes(): Record<string, Route> {
  const folder = join(PACKAGE_ROOT, 'dist/page');
  const routes: Record<string, Route> = {};
  for (const name of readdirSync(folder)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const body = readFileSync(join(folder, name));
    const gzip = gzipSync(body, { level: 9 });
    routes[name === 'index.html' ? '/' : `/${name}`] = () => ({ status: 200, type, body, gzip });
  }
  if (routes['/'] === undefined) throw new Error(`${folder} has no page: run npm run build`);
  return routes;
}
