import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { manOf } from '../../../../cli/commands/man.ts';
import { completionOf } from '../../../../cli/commands/shell-completion.ts';
import { start } from '../../../../cli/commands/start.ts';
import { allCommands } from '../../../../cli/commands.ts';
import { indexes } from '../../../../cli/groups/indexes.ts';
import { installation } from '../../../../cli/groups/installation.ts';
import { questions } from '../../../../cli/groups/questions.ts';
import { services } from '../../../../cli/groups/services.ts';
import { bashScript } from '../../../../cli/shell/bash-script.ts';
import { fishScript } from '../../../../cli/shell/fish-script.ts';
import { manPage } from '../../../../cli/shell/man-page.ts';
import { type ShellFlag, shellTable } from '../../../../cli/shell/shell-table.ts';
import { zshScript } from '../../../../cli/shell/zsh-script.ts';
import { run } from '../../../../service/run.ts';
import { temporaryFolder } from '../../../parts/guard.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const TEXTS = { completion: completionOf(allCommands), man: manOf(allCommands) };
const COMMANDS = { start, ...services, ...questions, ...installation, ...indexes, ...TEXTS };
const TABLE = shellTable(COMMANDS);
const FLAGS: [string, ShellFlag][] = [
  ...TABLE.commands.flatMap(({ name, flags }) => flags.map((flag): [string, ShellFlag] => [name, flag])),
  ...TABLE.settings.map((flag): [string, ShellFlag] => ['', flag]),
];
const SCRIPTS = { bash: bashScript(TABLE), zsh: zshScript(TABLE), fish: fishScript(TABLE) };

/** What people set in their shells, of which a completion must not depend. */
const STRICT = "set -eu; IFS=$'\\n'";
/** Of a line, where bash is asked about several. */
const END = '[end]';

const { path: folder, remove } = temporaryFolder('completion');
beforeAll(() => {
  for (const [shell, script] of Object.entries(SCRIPTS)) writeFileSync(join(folder, shell), script);
});
afterAll(remove);

describe('the completion of bash', () => {
  test.each<[string, string[]]>([
    ['hotitem|hot|', ['list', 'show', 'pin', 'ban', 'clear', 'freeze', 'thaw']],
    ['hotitem|nginx|install|--eng', ['--engine']],
    ['hotitem|hot|pin|4711|--rea', ['--reason']],
    ['hotitem|capture|', ['on', 'off', 'sample', 'status']],
    ['hotitem|capture|on|', []],
    ['hotitem|--config|hot|capture|s', ['sample', 'status']],
    ['hotitem|--config|=|hot|capture|s', ['sample', 'status']],
    ['hotitem|verify|--source|', ['kafka', 'spool']],
    ['hotitem|verify|--source|=|k', ['kafka']],
    ['hotitem|verify|--source|=', ['kafka', 'spool']],
    ['hotitem|check|--spool-fsync|', ['always', '1s', 'never']],
    ['hotitem|check|--heat-enabled|', ['true', 'false']],
    ['hotitem|hot|pin|1|--reason|', []],
    ['hotitem|check|--nginx|--nginx-co', ['--nginx-conf']],
    ['hotitem|completion|', ['bash', 'zsh', 'fish']],
    ['hotitem|service|install|', ['sidecar', 'sink']],
  ])('of %s', async (line, expected) => {
    expect(await completed(line.split('|'))).toEqual(expected);
  });

  test('offers every command, and every flag of each', async () => {
    const words = new Set(TABLE.commands.map(({ name }) => name.split(' ')[0]));
    expect(new Set(await completed(['hotitem', '']))).toEqual(words);
    const lines = TABLE.commands.map(({ name }) => ['hotitem', ...name.split(' '), '--']);
    const found = await completedEach(lines);
    const offered = TABLE.commands.map(({ name }, i) => [name, found[i]]);
    expect(Object.fromEntries(offered)).toEqual(
      Object.fromEntries(
        TABLE.commands.map(({ name, flags, configured }) => [
          name,
          [...flags, ...(configured ? TABLE.settings : [])].map((flag) => `--${flag.name}`),
        ]),
      ),
    );
  });

  test('offers files for a flag that names one, also with a space', async () => {
    writeFileSync(join(folder, 'my rules.yml'), '');
    expect(await completed(['hotitem', 'check', '--heat-rules', join(folder, 'my')])).toEqual([
      join(folder, 'my rules.yml'),
    ]);
  });

  async function completed(words: string[]): Promise<string[]> {
    const [found = []] = await completedEach([words]);
    return found;
  }

  /** What bash itself completes for the last word of each line. All in one bash: to start it takes longer than to ask it. */
  async function completedEach(lines: string[][]): Promise<string[][]> {
    const script = `source "$1"; shift; compopt() { :; }; COMP_WORDS=(); ${STRICT}
      for word; do
        if [[ $word != '${END}' ]]; then COMP_WORDS+=("$word"); continue; fi
        COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _hotitem
        printf '%s\\n' "\${COMPREPLY[@]}" '${END}'; COMP_WORDS=()
      done`;
    const words = lines.flatMap((line) => [...line, END]);
    const ran = await run('bash', ['-c', script, 'bash', join(folder, 'bash'), ...words]);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const said = ran.stdout.split(`${END}\n`).slice(0, -1);
    return said.map((text) => text.split('\n').filter((line) => line !== ''));
  }
});

describe.each(['bash', 'zsh', 'fish'] as const)('the script for %s', (shell) => {
  test('has every command and every flag', () => {
    const script = SCRIPTS[shell];
    const words = TABLE.commands.flatMap(({ name }) => name.split(' '));
    expect(words.filter((word) => !new RegExp(`[\\s'"]${word}[\\s'":]`).test(script))).toEqual([]);
    const flag = (name: string) => new RegExp(`(--|-l )${name}[\\s'=\\[]`);
    expect(FLAGS.filter(([, { name }]) => !flag(name).test(script))).toEqual([]);
  });

  test('is valid, where this shell is installed', async () => {
    if ((await run(shell, ['-c', 'exit 0'])).code !== 0) return;
    expect(await run(shell, ['-n', join(folder, shell)])).toMatchObject({ code: 0, stderr: '' });
  });

  test('has no flag for a secret', () => {
    expect(SCRIPTS[shell]).not.toMatch(/api-key|sasl-password|ip-salt/);
  });
});

describe('the manual page', () => {
  const page = manPage(COMMANDS, '1.2.3');

  test('has every command and every flag', () => {
    const plain = page.replaceAll('\\-', '-');
    const sections = new Map(
      plain.split('.SS hotitem ').map((part) => [part.slice(0, part.indexOf('\n')), part]),
    );
    expect(TABLE.commands.filter(({ name }) => !sections.has(name))).toEqual([]);
    const own = FLAGS.filter(([, { name }]) => name !== 'help');
    expect(own.filter(([name, flag]) => !(sections.get(name) ?? plain).includes(`--${flag.name}`))).toEqual(
      [],
    );
  });

  test('is ASCII, without the name of the host where it is made', () => {
    expect(page).toMatch(/^[\n\x20-\x7e]*$/);
    expect(page).toContain('the name of the host');
  });

  test('is made by the build', () => {
    expect(readFileSync(join(ROOT, 'dist/hotitem.1'), 'utf8')).toContain('.SS hotitem start');
  });

  test.each<[string, string[], RegExp]>([
    ['groff', ['-man', '-ww', '-z', '-Tutf8'], /^$/],
    // It has no date on purpose.
    ['mandoc', ['-T', 'lint', '-W', 'warning'], /^$|missing date/],
  ])('has no fault for %s, where that is installed', async (program, args, allowed) => {
    const file = join(folder, 'hotitem.1');
    writeFileSync(file, page);
    if ((await run('sh', ['-c', `command -v ${program}`])).code !== 0) return;
    const { stdout, stderr } = await run(program, [...args, file]);
    expect(`${stdout}${stderr}`.split('\n').filter((line) => !allowed.test(line))).toEqual([]);
  });
});
