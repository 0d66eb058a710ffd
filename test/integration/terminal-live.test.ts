import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { commandHot } from '../../cli/hot/ask-hot.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { freePorts } from '../parts/ports.ts';
import { openPty, type Pty } from '../parts/pty.ts';
import { type Service, startService } from '../parts/service.ts';
import { until } from '../parts/until.ts';
import { addressOf, lineOf, postLines } from './post-lines.ts';
import { PROGRAM, runHotitem } from './run-hotitem.ts';

jest.setTimeout(180_000);
/** Clears the screen, turns everything red by C1, deletes, turns the direction of writing, and is two columns wide. */
const EVIL = 'x\x1b[2J\x9b31m\x7f\u202e売';
const SHOWN = 'x\\x1b[2J\\x9b31m\\x7f\\u';
/** Views in ten seconds that make an item busy are 200. */
const CROWD = 600;
/** It stays hot for as long as the tests may take on a busy machine. */
const RULES = 'rules:\n  - busy:\n      dwell_seconds: 600\n';
/** What hotitem itself sends: the other screen, cursor, wrapping, erasing, and, where coloured, styles. */
const OWN = /\p{Cc}\[(?:\?(?:1049|25|7)[hl]|[HJK]|(?:0|1|2|7|33)m)/gu;
const STYLE = /\p{Cc}\[\d+m/u;
const UNSAFE = /(?![\r\n])[\p{C}\p{Zl}\p{Zp}]/u;

describe('in a terminal', () => {
  const { path: folder, remove } = temporaryFolder('terminal-live');
  let sidecar: Service;
  let env: Record<string, string>;

  beforeAll(async () => {
    const [port] = await freePorts(1);
    const rules = join(folder, 'rules.yml');
    writeFileSync(rules, RULES);
    env = {
      HOTITEM_HOME: join(folder, 'home'),
      HOTITEM_ADMIN_LISTEN: `127.0.0.1:${port}`,
      HOTITEM_HEAT_RULES: rules,
    };
    sidecar = await startService({
      args: ['sidecar'],
      env,
      admin: `127.0.0.1:${port}`,
      logFile: join(folder, 'sidecar.log'),
    });
    await command({ do: 'pin', item: EVIL });
    const isBusy = async () => {
      const lines = Array.from({ length: CROWD }, (_, i) => lineOf({ item: '4711', ip: addressOf(i) }));
      await postLines(join(folder, 'home/run/intake.sock'), lines);
      const { hot } = await sidecar.json<{ hot: { signal: string }[] }>('/api/v1/hot');
      return hot.some(({ signal }) => signal === 'busy');
    };
    await until(isBusy, {
      timeoutMs: 60_000,
      what: 'the item to be hot',
      detail: () => sidecar.log(),
    });
  });
  afterAll(async () => {
    await sidecar?.stop();
    remove();
  });

  test('top prints one table into a pipe, without any escape sequence', async () => {
    const { code, stdout } = await runHotitem(['top'], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +# ITEM +PEOPLE\/s +ALL\/s +1 MIN\/s +VISITORS +SINCE +SIGNAL$/m);
    expect(stdout).toMatch(
      /^ +1 4711 .* busy$\n {4}.*views\/s over 10 s.*\n {4}nginx is told: announce, cache$/m,
    );
    expect(stdout).toContain(SHOWN);
    expect(stdout).not.toMatch(UNSAFE);
  });

  test('top follows the hot list, and q restores the terminal', async () => {
    const pty = open(['top']);
    await pty.shows(/1 .*4711.*busy/);
    pty.clear();
    await command({ do: 'pin', item: 'newcomer' });
    await pty.shows(/newcomer/);
    pty.clear();
    await command({ do: 'clear', item: 'newcomer' });
    await pty.shows(/\p{Cc}\[H(?:(?!newcomer).)*\p{Cc}\[J/su);
    pty.type('q');
    expect(await pty.ended).toBe(0);
    expectRestored(pty);
    expect(pty.output()).toMatch(STYLE);
    expect(pty.output()).toContain(SHOWN);
    expect(pty.output().replaceAll(OWN, '')).not.toMatch(UNSAFE);
  });

  test('top follows the size of the terminal, also of one that has none, without colour where NO_COLOR asks for none, and Ctrl-C restores it', async () => {
    const pty = open(['top'], { rows: 8, columns: 60, env: { NO_COLOR: '1' } });
    await pty.shows(/… and [12] more/);
    pty.clear();
    await pty.resize(30, 200);
    await pty.shows(/nginx is told: announce, cache(?:(?!\p{Cc}\[J).)*pin/su);
    pty.clear();
    // As in a container that was not told it.
    await pty.resize(0, 0);
    await pty.shows(/\p{Cc}\[H(?=\S)(?:(?!\p{Cc}\[J).)*4711/su);
    pty.type('\x03');
    expect(await pty.ended).toBe(0);
    expectRestored(pty);
    expect(pty.output()).not.toMatch(STYLE);
  });

  test('top gives the terminal back on Ctrl-Z, and draws again when the shell continues it', async () => {
    const shell = ['bash', '-m', '-c', '"$@"; echo "[stopped]"; fg; exit $?', 'bash'];
    const pty = open(['top'], { shell });
    await pty.shows(/4711/);
    pty.clear();
    pty.type('\x1a');
    await pty.shows(/1049l(?:(?!1049h).)*\[stopped\].*1049h.*4711/s);
    pty.type('q');
    expect(await pty.ended).toBe(0);
    expectRestored(pty);
  });

  test('top continues on Ctrl-Z where no shell could continue it, and SIGTERM restores the terminal', async () => {
    const pty = open(['top']);
    await pty.shows(/4711/);
    pty.clear();
    pty.type('\x1a');
    await pty.shows(/1049l.*1049h.*4711/s);
    process.kill(pty.child(), 'SIGTERM');
    expect(await pty.ended).toBe(0);
    expectRestored(pty);
  });

  test('top prints one table with --once, and on a terminal that cannot be drawn on', async () => {
    for (const [args, more] of [
      [['top', '--once'], {}],
      [['top'], { TERM: 'dumb' }],
    ] as const) {
      const pty = open([...args], { env: more });
      expect(await pty.ended).toBe(0);
      expect(pty.output()).toMatch(/4711/);
      expect(pty.output()).not.toMatch(UNSAFE);
    }
  });

  test('top keeps the last numbers while the sidecar is unavailable, says since when, and continues', async () => {
    const pty = open(['top']);
    await pty.shows(/4711/);
    pty.clear();
    await sidecar.stop();
    await pty.shows(/stale since \S+Z: .*4711/s);
    pty.clear();
    await sidecar.start();
    await pty.shows(/\p{Cc}\[H(?:(?!stale since).)*4711.*?\p{Cc}\[J/su);
    pty.type('q');
    expect(await pty.ended).toBe(0);
  });

  test('top exits 1 with a hint where no sidecar answers', async () => {
    const [port] = await freePorts(1);
    expect(await runHotitem(['top', '--admin-listen', `127.0.0.1:${port}`], env)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('Is the sidecar running?'),
    });
  });

  test('status --watch is drawn again in its place, and q restores the terminal', async () => {
    const pty = open(['status', '--watch']);
    await pty.shows(/captured yet; delivers; nothing lost behind nginx/);
    pty.type('q');
    expect(await pty.ended).toBe(0);
    expectRestored(pty);
    expect(pty.output().replaceAll(OWN, '')).not.toMatch(UNSAFE);
  });

  test('status --watch --json prints a line for each change', async () => {
    const pty = open(['status', '--watch', '--json']);
    await pty.shows(/"hot":2/);
    await command({ do: 'pin', item: 'third' });
    await pty.shows(/"hot":3/);
    pty.type('\x03');
    await pty.ended;
    const lines = pty
      .output()
      .split('\r\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { time: string; verdict: string; heat: { hot: number } });
    expect(lines.map(({ heat }) => heat.hot)).toEqual(expect.arrayContaining([2, 3]));
    const states = lines.map(({ time: _, ...rest }) => JSON.stringify(rest));
    expect(states.filter((state, i) => state === states[i - 1])).toEqual([]);
  });

  test('a wait is shown in one line while it lasts, on a terminal alone', async () => {
    const marker = join(folder, 'home/spill/drain');
    const drain = ['nginx', 'drain', '--timeout', '300'];
    const piped = runHotitem(drain, env);
    // Both wait before nginx answers: a marker that is made later would stay.
    await until(() => existsSync(marker), { timeoutMs: 60_000, what: 'the first to wait' });
    const pty = open(drain);
    await pty.shows(/\r\p{Cc}\[Kwaiting for nginx: [1-9]\d* s of 5 min at most/u);
    // As an nginx does that has emptied its zone.
    rmSync(marker);
    expect(await pty.ended).toBe(0);
    expect(pty.output()).toMatch(/at most\r\p{Cc}\[Knginx: nothing waits in the zone/u);
    expect(await piped).toMatchObject({ code: 0, stderr: '' });
  });

  (FULL ? test : test.skip)('a long read says how much is done, and how much time is left', async () => {
    const file = join(folder, 'catalogue.csv');
    writeFileSync(file, `id,name\n${Array.from({ length: 500_000 }, (_, i) => `${i},a name\n`).join('')}`);
    const more = { HOTITEM_CATALOGUE_FILE: file };
    const pty = open(['check'], { env: more });
    await pty.shows(/reading the catalogue \[#+-+\] +\d+ %, \d+ s left/);
    expect(await pty.ended).toBe(0);
    expect(pty.output()).toMatch(/\p{Cc}\[K[^\r]*→/u);
    const { stdout, stderr } = await runHotitem(['check'], { ...env, ...more });
    expect(stdout).toContain('500000 items');
    expect(stderr).toBe('');
  });

  async function command(what: { do: 'pin' | 'clear'; item: string }): Promise<void> {
    await commandHot(join(folder, 'home/run/control.sock'), { ...what, reason: 'a test', by: 'a test' });
  }

  function open(
    args: string[],
    {
      rows = 24,
      columns = 120,
      env: more = {},
      shell = [],
    }: { rows?: number; columns?: number; env?: Record<string, string>; shell?: string[] } = {},
  ): Pty {
    const command = [...shell, process.execPath, PROGRAM, ...args];
    return openPty({ folder, command, env: { ...env, ...more }, rows, columns });
  }

  /** The first screen with its cursor, wrapping and the modes of before. */
  function expectRestored(pty: Pty): void {
    const output = pty.output();
    expect(output.lastIndexOf('\x1b[?1049l')).toBeGreaterThan(output.lastIndexOf('\x1b[?1049h'));
    expect(output.lastIndexOf('\x1b[?25h')).toBeGreaterThan(output.lastIndexOf('\x1b[?25l'));
    expect(output.lastIndexOf('\x1b[?7h')).toBeGreaterThan(output.lastIndexOf('\x1b[?7l'));
    const [, before] = /\[before (\S+)\]/.exec(output) ?? [];
    const [, after] = /\[after (\S+)\]/.exec(output) ?? [];
    expect(after).toBe(before);
    expect(before).toMatch(/^[\da-f:]+$/);
  }
});
