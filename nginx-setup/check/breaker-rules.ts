import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { resolve } from 'node:path';
import { type Finding, type Place, shellWord } from '../../service/finding.ts';
import { type Listener, listenersAt } from '../../service/listener.ts';
import type { Facts } from './facts.ts';
import { includeFolder, RELOAD } from './mend.ts';

const ANSWER_MS = 3_000;
/** The header of the breaker's answer, see nginx/http.conf. */
const OURS = 'hotitem-breaker';

type Answer = {
  /** 0 if there was no answer, or it was not HTTP. */
  status: number;
  /** Its `Server` header. */
  server: string;
  isOurs: boolean;
};

/** nginx may be stopped, so nothing has to listen on the breaker's address. Anything that does must answer 503. */
export async function breakerFindings(facts: Facts, breaker: string, where: Place): Promise<Finding[]> {
  const answer = await ask(breaker);
  if (answer === undefined) return [];
  // The breaker of older includes does not send the header.
  if (answer.status === 503 && (answer.isOurs || !isMarked(facts))) return [];
  const [listeners, master] = await Promise.all([listenersAt(portOf(breaker)), masterOf(facts)]);
  const dir = includeFolder(facts.site);
  const said = answer.status === 0 ? '' : ` (with ${answer.status})`;
  if (listeners.some(({ pid }) => pid === master)) {
    return [
      {
        id: 'reload-pending',
        severity: 'note',
        what: `the running nginx has an older configuration: it does not answer as expected at the breaker's address ${breaker}${said}`,
        where,
        why: 'these files were changed after nginx had read them',
        fix: 'reload it',
        command: RELOAD,
      },
    ];
  }
  if (listeners.length === 0 && /^(?:nginx|openresty)/.test(answer.server)) {
    return [
      {
        id: 'breaker-unclear',
        severity: 'warning',
        what: `an nginx answers at the breaker's address ${breaker}${said}, perhaps another than this one`,
        where,
        why: 'if it is yours with an older state of these files, a reload is enough; if another nginx has the port, yours does not start',
        fix: 'run this as root, or reload nginx and check again',
      },
    ];
  }
  return [
    {
      id: 'breaker-taken',
      severity: 'error',
      what: `another program answers at the breaker's address ${breaker}${said}${whoIs(listeners)}`,
      where,
      why: 'nginx does not start while that port is in use; only a 503 makes it spill',
      fix: `stop the other program, or write the includes with a free port, and set it in hotitem.yml (nginx.breaker)`,
      ...(dir !== undefined && {
        command: `hotitem nginx install --dir ${shellWord(dir)} --breaker ${await freeBeside(breaker)} && ${RELOAD}`,
      }),
    },
  ];
}

/** Whether these files add the header to the breaker's answer. */
function isMarked({ site }: Facts): boolean {
  return site.spots.some(
    ({ directive: { name, args } }) => name === 'add_header' && args[0]?.toLowerCase() === OURS,
  );
}

/** The address with the next free port. */
async function freeBeside(address: string): Promise<string> {
  let port = (portOf(address) % 65_535) + 1;
  while ((await listenersAt(port)).length > 0) port = (port % 65_535) + 1;
  return `${address.slice(0, address.lastIndexOf(':'))}:${port}`;
}

function whoIs([first]: Listener[]): string {
  return first === undefined ? '' : `: ${first.name}, process ${first.pid}`;
}

/** The process id of the nginx that runs with this configuration, from its pid file. */
async function masterOf({ build, site }: Facts): Promise<number | undefined> {
  const set = site.spots.find(({ directive, around }) => directive.name === 'pid' && around.length === 0);
  const path = resolve(build.prefix, set?.directive.args[0] ?? build.pid);
  const pid = Number.parseInt(await readFile(path, 'utf8').catch(() => ''), 10);
  return Number.isNaN(pid) ? undefined : pid;
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

/** The answer at that address; undefined if nothing listens there. Asks twice: a machine that stood still makes anybody late. */
async function ask(address: string): Promise<Answer | undefined> {
  const answer = await askOnce(address);
  return answer?.status === 0 ? askOnce(address) : answer;
}

function askOnce(address: string): Promise<Answer | undefined> {
  return new Promise((done) => {
    const asked = request(`http://${address}/`, { timeout: ANSWER_MS, agent: false }, (response) => {
      response.destroy();
      const { server, [OURS]: ours } = response.headers;
      done({ status: response.statusCode ?? 0, server: String(server ?? ''), isOurs: ours !== undefined });
    });
    asked
      .once('timeout', () => asked.destroy(new Error('no answer')))
      .once('error', (error: NodeJS.ErrnoException) =>
        done(error.code === 'ECONNREFUSED' ? undefined : { status: 0, server: '', isOurs: false }),
      )
      .end();
  });
}
