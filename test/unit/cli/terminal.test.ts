import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Ran, run } from '../../../service/run.ts';
import { firstOf } from '../../parts/full.ts';
import { temporaryFolder } from '../../parts/guard.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PROGRAM = join(ROOT, 'dist/hotitem.mjs');
/** Clears the screen, turns everything red by C1, deletes, and turns the direction of writing. */
const EVIL = 'x\x1b[2J\x9b31m\x7f\u202ey';
/** Everything but the end of a line. */
const UNSAFE = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u;

describe('ESC and C1 never reach a terminal', () => {
  const { path: folder, remove } = temporaryFolder('terminal');
  let admin: string;
  const server = createServer((asked, answer) => {
    const broken = asked.url?.startsWith('/readyz') === true;
    const accounts = { nginx: { capture: { mode: EVIL }, accounts: {} }, [EVIL]: EVIL };
    answer
      .writeHead(broken ? 503 : 200)
      .end(broken ? `not ready: ${EVIL}\nspool: ok` : JSON.stringify(accounts));
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    admin = `127.0.0.1:${address.port}`;
    writeFileSync(join(folder, `${EVIL}.yml`), `log:\n  level: "${EVIL}"\n"${EVIL}": 1\n`);
    writeFileSync(join(folder, 'list.yml'), `- "${EVIL}"\n`);
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    remove();
  });

  test.each(
    firstOf<[string, string[], number]>(6, [
      ['an unknown command', [EVIL], 2],
      ['the value of an option', ['nginx', 'install', '--dir', 'x', '--engine', EVIL], 2],
      ['the name of a missing file', ['check', '--config', `missing-${EVIL}.yml`], 1],
      ['names and values in the configuration', ['check', '--config', `${EVIL}.yml`], 1],
      ['a path in what check prints', ['check', '--home', EVIL], 0],
      ['the program of check --nginx', ['check', '--nginx', `./${EVIL}`], 1],
      ['the rest of an unfinished command', ['nginx', EVIL], 2],
      ['an unknown flag', ['check', `--${EVIL}`], 2],
      ['an unknown short flag', ['check', '-\x9b'], 2],
      ['a time', ['verify', '--from', EVIL], 2],
      ['a configuration that is no mapping', ['check', '--config', 'list.yml'], 1],
      ['the value of a setting', ['check', '--elasticsearch-node', `http://es:9200/${EVIL}`], 1],
      ['a path in an error', ['capture', 'status', '--home', EVIL], 1],
      ['what nginx install writes', ['nginx', 'install', '--dry-run', '--dir', `./${EVIL}`], 1],
    ]),
  )('from %s', async (_, args, code) => {
    const ran = await hotitem(args);
    expect(ran).toMatchObject({
      stdout: expect.not.stringMatching(UNSAFE),
      stderr: expect.not.stringMatching(UNSAFE),
    });
    expect(ran.code).toBe(code);
  });

  test('from the answer of another program to status', async () => {
    const { stdout, stderr, code } = await hotitem(['status', '--admin-listen', admin]);
    expect(code).toBe(1);
    expect(stdout.split('\n')[0]).toContain('x\\x1b[2J\\x9b31m\\x7f\\u{202e}y');
    expect(stdout + stderr).not.toMatch(UNSAFE);
  });

  test('from --json, whose JSON still parses to the same value', async () => {
    const { stdout } = await hotitem(['status', '--json', '--admin-listen', admin]);
    expect(stdout).not.toMatch(UNSAFE);
    expect(stdout).toContain('x\\u001b[2J\\u009b31m\\u007f\\u202ey');
    expect(JSON.parse(stdout)).toMatchObject({ [EVIL]: EVIL, checks: `not ready: ${EVIL}\nspool: ok` });
  });

  test('from an uncaught error', async () => {
    const thrower = `const ask = fetch; globalThis.fetch = (...args) => {
      queueMicrotask(() => { throw new Error(${JSON.stringify(EVIL)}); });
      return ask(...args);
    };`;
    const { stderr, code } = await hotitem(['status', '--admin-listen', admin], {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(thrower)}`,
    });
    expect(code).toBe(1);
    expect(stderr).toContain('x\\x1b[2J\\x9b31m');
    expect(stderr).not.toMatch(UNSAFE);
  });

  test('and foreign text cannot start a new line', async () => {
    const { stderr } = await hotitem(['a\nhotitem: all is well']);
    expect(stderr).toContain('unknown command a\\nhotitem: all is well');
    const wrong = await hotitem(['check', '--log-level', 'a', '--config', 'b\nhotitem: all is well']);
    expect(wrong.stderr).not.toMatch(/^hotitem: all/m);
  });

  test('because only one file writes to the terminal', () => {
    const { include }: { include: string[] } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8'));
    const rooms = include.filter((room) => room !== 'test' && room !== 'bench');
    const writers = rooms.flatMap((room) =>
      readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => `${room}/${name}`)
        .filter((name) =>
          /process\.std(?:out|err)\.write|\bconsole\.\w/.test(readFileSync(join(ROOT, name), 'utf8')),
        ),
    );
    expect(writers).toEqual(['cli/terminal.ts']);
  });

  function hotitem(args: string[], env: Record<string, string> = {}): Promise<Ran> {
    return run(process.execPath, [PROGRAM, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...env },
    });
  }
});

test('a disk that is full gets no stack trace either', async () => {
  const ran = await run('sh', ['-c', '"$0" "$1" man >/dev/full', process.execPath, PROGRAM]);
  expect(ran).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^hotitem: cannot write the output: ENOSPC.*\n$/),
  });
});

test.each(firstOf(2, [['man'], ['completion', 'bash'], ['--help']]))(
  'a reader that has enough gets no stack trace from %s %s',
  async (...args) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code] = await once(child, 'close');
    expect([code, said]).toEqual([0, '']);
  },
);
