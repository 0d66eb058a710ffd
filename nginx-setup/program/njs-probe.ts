import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export type Njs = { version: string; quickjs: boolean };
type Probed = { command: string[]; module: string | undefined };

const DEADLINE_MS = 5_000;
// Distributions' nginx puts these in folders that only root can write.
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/**
 * Finds the version of njs by running it: `nginx -V` does not name it, and the version numbers of packages differ. `module` is the path
 * for `load_module`, undefined if njs is compiled in. Returns nginx's error message if njs does not work.
 */
export async function probeNjs({ command, module }: Probed): Promise<Njs | { reason: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'hotitem-njs-'));
  try {
    await writeFile(
      join(folder, 'probe.js'),
      'function version(r) { r.return(200, njs.version); }\nexport default { version };\n',
    );
    const found = await answer({ command, module, folder, engine: '' });
    if ('reason' in found) return found;
    const quickjs = await answer({ command, module, folder, engine: 'js_engine qjs;' });
    return { version: found.body, quickjs: 'body' in quickjs };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Attempt = Probed & { folder: string; engine: string };

async function answer(attempt: Attempt): Promise<{ body: string } | { reason: string }> {
  const { command, folder } = attempt;
  const socketPath = join(folder, 'probe.sock');
  const errors = join(folder, 'error.log');
  const config = join(folder, 'nginx.conf');
  await rm(socketPath, { force: true });
  await rm(errors, { force: true });
  await writeFile(config, configuration(attempt));
  const [program = '', ...args] = command;
  const nginx = spawn(program, [...args, '-p', folder, '-e', errors, '-c', config], { stdio: 'ignore' });
  let ended = false;
  nginx.once('error', () => {
    ended = true;
  });
  nginx.once('exit', () => {
    ended = true;
  });
  try {
    const deadline = Date.now() + DEADLINE_MS;
    while (!ended && Date.now() < deadline) {
      const body = existsSync(socketPath) ? await get(socketPath) : undefined;
      if (body !== undefined && /^\d+\.\d+\.\d+$/.test(body)) return { body };
      await delay(5);
    }
    const text = await readFile(errors, 'utf8').catch(() => '');
    return { reason: /\[emerg\][^:]*: (.*)/.exec(text)?.[1] ?? 'it does not answer' };
  } finally {
    nginx.kill('SIGKILL');
  }
}

function configuration({ module, folder, engine }: Attempt): string {
  return `${module === undefined ? '' : `load_module ${module};`}
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events { worker_connections 16; }
http {
    access_log off;
    ${TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
    ${engine}
    js_path ${folder};
    js_import probe from probe.js;
    server { listen unix:${folder}/probe.sock; location / { js_content probe.version; } }
}
`;
}

function get(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    request({ socketPath, path: '/', timeout: 1_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.once('end', () => resolve(body));
    })
      .once('error', () => resolve(undefined))
      .once('timeout', () => resolve(undefined))
      .end();
  });
}
