import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Route } from '../../service/admin/admin.ts';
import { PACKAGE_ROOT } from '../../service/package-root.ts';

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
} as const;

/** The live page as it was built: three files, read once. Throws if it was not built. */
export function createPageRoutes(): Record<string, Route> {
  return Object.fromEntries(
    Object.entries(FILES).map(([path, [file, type]]): [string, Route] => {
      const body = readFileSync(join(PACKAGE_ROOT, 'dist/page', file));
      return [path, () => ({ status: 200, type, body })];
    }),
  );
}
