import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const NGINX = join(import.meta.dirname, '../../../nginx');
const INCLUDES = readdirSync(NGINX).filter((name) => name.includes('.conf'));
/** What server-protect.conf and server-actions.conf make possible. */
const PROTECTING = /^(?:server-protect|server-actions|cache|limit|isolate|announce)(?:[-d][\w-]*)?\.conf$/;

describe.each(INCLUDES)('%s', (name) => {
  const text = readFileSync(join(NGINX, name), 'utf8');

  test('names its context and its needs first', () => {
    expect(text.split('\n')[0]).toMatch(/^# Context: .*Needs: /);
  });

  test('has no directive of the main context', () => {
    expect(text).not.toMatch(/^\s*(user|load_module|worker_processes|pid)\s/m);
  });
});

test.each([
  [['off.conf'], ['http.conf', 'line.conf']],
  [['off-hot.conf'], ['http-hot.conf']],
])('%s defines every variable, format and upstream that %s do', (off, on) => {
  expect(definedInAll(off)).toEqual(definedInAll(on));
});

test('off.conf defines what off-hot.conf does', () => {
  expect(readFileSync(join(NGINX, 'off.conf'), 'utf8')).toContain('include "@HOTITEM_DIR@/off-hot.conf";');
});

test('off-protect.conf, like http-protect.conf, defines every variable that the includes of servers and locations use', () => {
  const used = INCLUDES.filter((name) => PROTECTING.test(name)).flatMap((name) => [
    ...read(name)
      .replaceAll(/^\s*#.*$/gm, '')
      .matchAll(/\$hotitem_\w+/g),
  ]);
  // An operator with an add_header of his own repeats those of http-protect.conf beside it.
  const repeated = [...read('http-protect.conf').matchAll(/^add_header .*(\$hotitem_\w+)/gm)];
  const names = [...new Set([...used.map(([name]) => name), ...repeated.map(([, name = '']) => name)])]
    .filter((name) => name !== '$hotitem_line')
    .sort();
  const on = ['http-protect.conf', 'tracking.conf', 'cookies.conf'].map(read).join('\n');
  expect(names).not.toEqual([]);
  for (const text of [read('off-protect.conf'), on]) {
    expect(
      names.filter((name) => !text.includes(` ${name} {`) && !text.includes(`(?<${name.slice(1)}>.)`)),
    ).toEqual([]);
  }
});

function read(name: string): string {
  return readFileSync(join(NGINX, name), 'utf8');
}

function definedInAll(names: string[]): string[] {
  return names.flatMap((name) => definedIn(readFileSync(join(NGINX, name), 'utf8'))).sort();
}

function definedIn(text: string): string[] {
  const found = text.matchAll(/^(?:map \S+|js_set) (\$\w+)|^(log_format|upstream) (\w+)/gm);
  return [...found].map(([, variable, kind, name]) => variable ?? `${kind} ${name}`).sort();
}
