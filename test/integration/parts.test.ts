import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { obtainNginx } from '../../provision/nginx.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { steady, views } from '../parts/load.ts';
import { type NginxPart, startNginx } from '../parts/nginx.ts';
import { temporaryPaths } from '../parts/nginx-conf.ts';
import { freePort } from '../parts/ports.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';

const START_MS = 300_000;

suiteWith(['nginx'])('nginx with njs', () => {
  const folder = temporaryFolder('nginx');
  const config = join(folder.path, 'nginx.conf');
  const seen = join(folder.path, 'seen.log');
  let nginx: NginxPart;
  let port: number;
  let module: string;
  beforeAll(async () => {
    const build = await obtainNginx({ suite: 'trixie', report });
    port = await freePort();
    module = build.modules.js ?? '';
    for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(folder.path, name));
    writeFileSync(join(folder.path, 'ok.js'), 'export default { ok: (r) => r.return(200) };\n');
    writeFileSync(config, configuration({ folder: folder.path, module, port, status: 404 }));
    nginx = await startNginx({ build, prefix: folder.path, config });
  }, START_MS);
  afterAll(async () => {
    await nginx?.close();
    folder.remove();
  });

  test('gets each path byte for byte', async () => {
    const paths = ['/web/item/a%2Fb', '//', '/a/../b', '/\xff?\x80', '/none'];

    const sent = await views({ port, paths, connections: 2 });

    expect(sent.map(({ status }) => status)).toEqual([200, 200, 200, 200, 404]);
    // nginx writes its log after the answer.
    const logged = () => readFileSync(seen, 'latin1').trim().split('\n').sort();
    await until(() => logged().length === paths.length, {
      timeoutMs: 60_000,
      what: 'the last line of the log',
    });
    expect(logged()).toEqual(paths.sort());
  });

  test('gets requests at a fixed rate', async () => {
    const sent = await steady({ port, ratePerSecond: 500, seconds: 0.4, path: (i) => `/${i}` });

    expect(sent).toHaveLength(200);
    expect(sent.filter(({ status }) => status !== 200)).toEqual([]);
  });

  test('has new workers, and its new configuration, after a reload', async () => {
    const before = await nginx.workers();
    writeFileSync(config, configuration({ folder: folder.path, module, port, status: 410 }));

    await nginx.reload();

    expect(await nginx.workers()).toHaveLength(before.length);
    expect((await views({ port, paths: ['/none'] }))[0]?.status).toBe(410);
  });

  test('answers again after a kill, without remains of the killed process', async () => {
    await nginx.kill();
    expect((await views({ port, paths: ['/'] }))[0]?.error).toMatch(/ECONNREFUSED/);

    await nginx.start();

    expect((await views({ port, paths: ['/'] }))[0]?.status).toBe(200);
  });
});

type Site = { folder: string; module: string; port: number; status: number };

function configuration({ folder, module, port, status }: Site): string {
  return `load_module ${module};
worker_processes 2;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 256; }
http {
    log_format seen escape=none '$request_uri';
    access_log seen.log seen;
    ${temporaryPaths()}
    js_path ${folder};
    js_import site from ok.js;
    server { listen 127.0.0.1:${port}; location / { js_content site.ok; } location = /none { return ${status}; } }
}
`;
}
