import { join } from 'node:path';

/** A `user` directive where the tests run as root: only root can read their temporary folders. */
export const WORKER_USER: string = process.getuid?.() === 0 ? 'user root;' : '';

/** Directives that put nginx's temporary files into `folder`, by default its prefix: the folders of its build may be missing. */
export function temporaryPaths(folder = '.'): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path "${join(folder, `${name}_temp`)}";`)
    .join('\n');
}
