import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NginxBuild } from '../provision/nginx.ts';
import { type NginxPart, startNginx } from '../test/parts/nginx.ts';
import { temporaryPaths, WORKER_USER } from '../test/parts/nginx-conf.ts';

/**
 * In the sidecar's place, an nginx that says 204 to every line and keeps none: as little work beside the nginx that is
 * measured as an answer takes.
 */
export async function startAnswerer(options: {
  build: NginxBuild;
  folder: string;
  socket: string;
}): Promise<NginxPart> {
  const { build, folder, socket } = options;
  await mkdir(folder, { recursive: true });
  const config = join(folder, 'nginx.conf');
  await writeFile(config, text(folder, socket));
  return startNginx({ build, prefix: folder, config });
}

// A poll gets 404: answered with 204 at once, it would be asked again at once.
function text(folder: string, socket: string): string {
  return `
worker_processes 1;
${WORKER_USER}
pid "${join(folder, 'nginx.pid')}";
events { worker_connections 4096; }
http {
access_log off;
keepalive_requests 1000000000;
client_max_body_size 0;
${temporaryPaths(folder)}
server {
listen "unix:${socket}";
location = /v1/lines { return 204; }
location / { return 404; }
}
}
`;
}
