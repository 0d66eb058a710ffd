import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotitem-njs-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['a Map', 'export const seen = new Map();', 'Map'],
  ['a Set', 'export const seen = new Set();', 'Set'],
  ['Array.from', "export const list = Array.from('ab');", 'from'],
  ['a URL', "export const url = new URL('http://a/');", 'URL'],
])('a script for njs cannot use %s', (_, source, named) => {
  const { status, stdout } = compile(source);

  expect(status).not.toBe(0);
  expect(stdout).toContain(named);
});

test('a script for njs may use everything that njs has', () => {
  expect(compile('export function f(r: NginxHTTPRequest): string { return r.uri.trim(); }')).toMatchObject({
    status: 0,
    stdout: '',
  });
});

test.each(['hotitem.njs.js', 'hotitem.qjs.js', 'hotitem-periodic.njs.js', 'hotitem-periodic.qjs.js'])(
  '%s exports in the form that njs 0.7.9 accepts',
  (name) => {
    const script = readFileSync(join(ROOT, 'dist/nginx', name), 'utf8');

    expect(script.match(/^export .*/gm)).toEqual([expect.stringMatching(/^export default \w+;$/)]);
  },
);

function compile(source: string): { status: number | null; stdout: string } {
  writeFileSync(join(folder, 'script.ts'), source);
  const config = {
    extends: join(ROOT, 'njs/tsconfig.json'),
    compilerOptions: {
      typeRoots: [join(ROOT, 'node_modules')],
      types: [join(ROOT, 'node_modules/njs-types/ngx_http_js_module')],
    },
    include: ['script.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const { status, stdout } = spawnSync(tsc, ['-p', folder], { encoding: 'utf8' });
  return { status, stdout };
}
