import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RulesError } from '../../../heat/parse-rules.ts';
import type { RulesFile } from '../../../heat/rules-schema.ts';
import { type RulesWatch, watchRules } from '../../../heat/rules-watch.ts';
import { temporaryFolder } from '../../parts/guard.ts';

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
let watch: RulesWatch | undefined;
let warned: string[];
let used: RulesFile[];

beforeEach(() => {
  folder = temporaryFolder('rules');
  path = join(folder.path, 'rules.yml');
  warned = [];
  used = [];
});
afterEach(() => {
  watch?.close();
  watch = undefined;
  folder.remove();
});

describe('the file of rules', () => {
  test('is read at the start, and again when it has changed', async () => {
    write('cap: 5');
    const { rules, look } = await start();
    expect(rules().cap).toBe(5);
    await settle(look);
    expect(used).toEqual([]);

    write('cap: 6');
    await settle(look);
    expect(rules().cap).toBe(6);
    expect(used.map(({ cap }) => cap)).toEqual([6]);
  });

  test('is read again when a file of the same size replaces it', async () => {
    write('cap: 5');
    const { rules, look } = await start();
    writeFileSync(`${path}.new`, 'cap: 7');
    renameSync(`${path}.new`, path);
    await settle(look);
    expect(rules().cap).toBe(7);
  });

  test('is not read while it is being written', async () => {
    write('cap: 5');
    const { rules, look, state } = await start();
    await look();
    write('');
    await look();
    write('rules: []');
    await look();
    write('rules: []\ncap: 6');
    await look();
    expect([rules().cap, state().problems]).toEqual([5, []]);
    await look();
    expect(rules().cap).toBe(6);
  });

  test('with an error leaves the previous rules in force and is reported, until it is corrected', async () => {
    write('cap: 5');
    const { rules, look, state } = await start();
    write('cap: none\nrule: []');
    await settle(look);
    expect(rules().cap).toBe(5);
    expect(state().problems).toEqual([
      expect.stringMatching(/^cap: .*\(got "none"\)$/),
      'rule: unknown key, did you mean rules?',
    ]);
    expect(warned).toEqual(['the rules for hot items are invalid; the previous rules stay in effect']);

    write('cap: 8');
    await settle(look);
    expect(rules().cap).toBe(8);
    expect(state().problems).toEqual([]);
  });

  test.each<[string, () => void, string]>([
    ['is gone', () => rmSync(path), 'ENOENT'],
    [
      'is a folder',
      () => {
        rmSync(path);
        mkdirSync(path);
      },
      'must be a regular file',
    ],
    ['is huge', () => write(`# ${'x'.repeat(1024 * 1024)}`), 'at most 1048576 bytes'],
  ])('that %s leaves the previous rules in force', async (_, spoil, problem) => {
    write('cap: 5');
    const { rules, look, state } = await start();
    spoil();
    await settle(look);
    expect(rules().cap).toBe(5);
    expect(state().problems.join()).toContain(problem);
  });

  test('with an error at start leaves the rules of the last run in force', async () => {
    write('cap: 5');
    (await start()).close();
    write('cap: none');
    const { rules, state, look } = await start();
    expect(rules().cap).toBe(5);
    expect(state().problems).toHaveLength(1);

    write('cap: 6');
    await settle(look);
    expect(rules().cap).toBe(6);
  });

  test('with errors at the first start reports all of them', async () => {
    write('cap: none\nrule: []');
    await expect(start()).rejects.toBeInstanceOf(RulesError);
    rmSync(path);
    await expect(start()).rejects.toThrow('ENOENT');
  });

  test('is optional', async () => {
    watch = await watchRules({ ...options(), path: undefined });
    expect(watch.rules()).toEqual({ rules: [], pins: [], bans: [] });
    expect(watch.state()).toEqual({ file: undefined, since: undefined, problems: [] });
  });

  test('is stored unchanged, so that the next start knows it', async () => {
    write('cap: 5 # five');
    await start();
    expect(readFileSync(join(folder.path, 'kept.yml'), 'utf8')).toBe('cap: 5 # five');
  });
});

/** It is read at the second look that finds it changed. */
async function settle(look: RulesWatch['look']): Promise<void> {
  await look();
  await look();
}

function write(text: string): void {
  writeFileSync(path, text);
}

async function start(): Promise<RulesWatch> {
  watch = await watchRules(options());
  return watch;
}

function options() {
  return {
    path,
    keptPath: join(folder.path, 'kept.yml'),
    now: () => 1_795_355_712_000,
    warn: (_key: string, message: string) => void warned.push(message),
    onRules: (rules: RulesFile) => void used.push(rules),
    // Looked at when the test says so.
    everyMs: 3_600_000,
  };
}
