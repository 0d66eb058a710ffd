import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Accounts } from '../../app/wire-sidecar.ts';
import { run } from '../../service/run.ts';
import { testAsRoot } from '../parts/as-root.ts';
import { ANOTHER_USER, asAnother, askAsAnother, CAN_BE_ANOTHER } from '../parts/attacker.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { freePort, freePorts } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { until } from '../parts/until.ts';
import { view } from './index-contract.ts';

import { lineAt } from './post-lines.ts';
import { askHotitem, PROGRAM, runHotitem } from './run-hotitem.ts';

jest.setTimeout(180_000);

type Answer = { status?: number; code?: string };

/** Asks `argv[1]`, a socket, what is in `argv[2]`, one after the other: what it answers, or why it does not. */
const ASK = `
import { request } from 'node:http';
const [socketPath, asks] = process.argv.slice(1);
const answers = [];
for (const { method, path, body } of JSON.parse(asks)) {
  answers.push(
    await new Promise((resolve) => {
      const asked = request({ socketPath, method, path, agent: false }, (response) => {
        response.resume();
        response.on('end', () => resolve({ status: response.statusCode }));
      });
      asked.on('error', ({ code }) => resolve({ code }));
      asked.end(body);
    }),
  );
}
process.stdout.write(JSON.stringify(answers));
`;

/** A checkout may lie where nobody else can look. */
const OTHERS_CAN_RUN_IT = CAN_BE_ANOTHER && canRead(PROGRAM);

function canRead(path: string): boolean {
  const [program = '', ...args] = asAnother(['test', '-r', path]);
  return spawnSync(program, args).status === 0;
}

type Heard = Record<string, Record<string, number>>;

/** Whatever may be in hand is, so any of them may have to give way, and on a busy machine be too slow. */
const ANSWERED: Record<string, string[]> = {
  'bad lines of two bytes': ['413', '503'],
  'as many bad lines as may be': ['400', '503'],
  'empty lines': ['413', '503'],
  'a line without end': ['400', '503'],
  'larger than it may be': ['413', '503'],
  'many in one piece': ['400', '503'],
  'a body in chunks of a byte': ['411', '503'],
  'more than was asked for': ['400', '503'],
  '30 slow posts of 8 MiB': ['503'],
  'slow posts within the limit': ['503'],
  'heads without end': ['503'],
  '300 polls': ['204'],
};

/** Between two questions whether the sidecar lives. */
const BETWEEN_MS = 25;
const ATTACKS = readFileSync(join(import.meta.dirname, 'intake-attacks.mjs'), 'utf8');
/** How often each of them is made, where not as often as usual. */
const ROUNDS = FULL ? [] : ['', '', '2'];
const OPERATIONS = join(import.meta.dirname, '../../docs/operations.md');

/** The most that a process has had in memory. */
function peakMb(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** The memory limit in docs/operations.md of a sidecar whose socket is sent anything. */
function documentedMb(): { forwarding: number; embedded: number } {
  const said = /below (\d+) MB whatever its socket is sent \((\d+) MB with the embedded index,/.exec(
    readFileSync(OPERATIONS, 'utf8'),
  );
  return { forwarding: Number(said?.[1]), embedded: Number(said?.[2]) };
}

describe('the group of the workers, who may use the intake socket', () => {
  const folder = temporaryFolder('rights');
  const home = join(folder.path, 'home');
  const intake = join(home, 'run/intake.sock');
  const control = join(home, 'run/control.sock');
  let env: Record<string, string>;
  let sidecar: Service;

  beforeAll(async () => {
    chmodSync(folder.path, 0o755);
    const admin = `127.0.0.1:${await freePort()}`;
    env = {
      HOTITEM_HOME: home,
      HOTITEM_ADMIN_LISTEN: admin,
      // As the service sets it.
      NODE_OPTIONS: '--max-semi-space-size=4',
      ...(CAN_BE_ANOTHER && { HOTITEM_INTAKE_SOCKET_GROUP: String(ANOTHER_USER) }),
    };
    sidecar = await startService({ args: ['sidecar'], env, admin, logFile: join(folder.path, 'log') });
  });
  afterAll(async () => {
    await sidecar?.stop();
    folder.remove();
  });

  test('delivers lines and polls', async () => {
    const asks = [
      { method: 'POST', path: '/v1/lines', body: `${lineAt(Date.now())}\n` },
      { method: 'GET', path: '/v1/control?version=0&wait=0&started=1' },
    ];
    expect(await ask(intake, asks)).toEqual([{ status: 204 }, { status: 204 }]);
  });

  test('cannot switch capture off', async () => {
    const asks = [{ method: 'POST', path: '/v1/control', body: '{"mode":"off"}' }];
    expect(await ask(intake, asks)).toEqual([{ status: 405 }]);
    expect((await sidecar.json<Accounts>('/api/v1/accounting')).nginx?.capture).toEqual({
      version: 0,
      mode: 'default',
    });
  });

  test('cannot create or list events', async () => {
    const event = view({ weight: 1_000_000, ip: 'no address' });
    const asks = [
      { method: 'POST', path: '/v1/index/create', body: JSON.stringify(event) },
      { method: 'POST', path: '/v1/index/count', body: event.id },
    ];
    expect(await ask(intake, asks)).toEqual([{ status: 404 }, { status: 404 }]);
  });

  const inFull = FULL ? test : test.skip;
  testAsRoot('cannot connect to the control socket', async () => {
    const asks = [{ method: 'POST', path: '/v1/control', body: '{"mode":"off"}' }];
    expect(await ask(control, asks)).toEqual([{ code: 'EACCES' }]);
  });

  (OTHERS_CAN_RUN_IT ? test : test.skip).each([
    ['capture off', 1] as const,
    ...(FULL ? [['verify --from -1h', 2] as const] : []),
  ])('is told by hotitem %s who may ask', async (command, status) => {
    const [program = '', ...args] = asAnother([process.execPath, PROGRAM, ...command.split(' ')]);
    const { code, stderr } = await run(program, args, { env: { PATH: process.env.PATH, ...env } });
    expect(stderr).toContain(`no permission to connect to ${control}`);
    expect(stderr).toContain('Run it as root or as the user of the sidecar');
    expect(code).toBe(status);
  });

  test('is not the owner, who can switch capture and query the index', async () => {
    expect(statSync(control).mode & 0o777).toBe(0o600);
    expect((await runHotitem(['capture', 'sample', '4'], env)).stdout).toMatch(/^capture: 1 in 4\n/);
    const { answer } = await askHotitem<{ index: { name: string } }>(['verify', '--from', '-1h'], env);
    expect(JSON.stringify(answer)).toContain(control);
  });

  test('cannot fill the memory or prevent /livez from answering, whatever they send', async () => {
    const before = await acceptedLines();
    const attack = askAsAnother<Heard>(ATTACKS, [intake, ...ROUNDS]);
    let isOver = false;
    const over = attack.finally(() => {
      isOver = true;
    });
    let answers = 0;
    for (; !isOver; await delay(BETWEEN_MS)) if ((await sidecar.text('/livez')) !== '') answers++;
    const heard = await over;

    for (const [attack, statuses] of Object.entries(ANSWERED))
      expect([
        attack,
        Object.keys(heard[attack] ?? {}).filter((status) => !statuses.includes(status)),
      ]).toEqual([attack, []]);
    // While the slow posts are waited for, a hundred are usual.
    expect(answers).toBeGreaterThan(20);
    expect(peakMb(sidecar.pid())).toBeLessThan(documentedMb().embedded);
    expect(await sidecar.text('/readyz?verbose')).toContain('intake: ok');
    const isTaken = async () => {
      const body = `${lineAt(Date.now())}\n`;
      const [answer] = await ask(intake, [{ method: 'POST', path: '/v1/lines', body }]);
      return answer?.status === 204;
    };
    await until(isTaken, { timeoutMs: 60_000, what: 'a line to be taken', detail: sidecar.log });
    expect(await acceptedLines()).toBe(before + 1);
  });

  inFull('cannot fill the memory of a sidecar that forwards to Kafka either', async () => {
    const [admin, kafka] = (await freePorts(2)).map((port) => `127.0.0.1:${port}`);
    if (admin === undefined || kafka === undefined) throw new Error('no ports are free');
    const forwarding = await startService({
      args: ['sidecar'],
      env: {
        ...env,
        HOTITEM_HOME: join(folder.path, 'forwarding'),
        HOTITEM_ADMIN_LISTEN: admin,
        KAFKA_BROKERS: kafka,
      },
      admin,
      logFile: join(folder.path, 'forwarding.log'),
    });
    try {
      await askAsAnother<Heard>(ATTACKS, [join(folder.path, 'forwarding/run/intake.sock'), ...ROUNDS]);
      expect(peakMb(forwarding.pid())).toBeLessThan(documentedMb().forwarding);
    } finally {
      await forwarding.stop();
    }
  });

  async function acceptedLines(): Promise<number> {
    return (await sidecar.json<Accounts>('/api/v1/accounting')).sidecar?.accepted ?? Number.NaN;
  }

  function ask(socket: string, asks: object[]): Promise<Answer[]> {
    return askAsAnother<Answer[]>(ASK, [socket, JSON.stringify(asks)]);
  }
});
