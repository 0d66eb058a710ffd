import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { temporaryFolder } from '../parts/guard.ts';

const ROOT = join(import.meta.dirname, '../..');
const WRONG: [what: string, source: string, named: string][] = [
  ['a Map', 'export const seen = new Map();', 'Map'],
  ['a Set', 'export const seen = new Set();', 'Set'],
  ['Array.from', "export const list = Array.from('ab');", 'from'],
  ['a URL', "export const url = new URL('http://a/');", 'URL'],
];
const RIGHT = 'export function f(r: NginxHTTPRequest): string { return r.uri.trim(); }';
/** What the compiler says about each script, by its name. */
let said: Map<string, string>;

beforeAll(() => {
  said = compile(['right', RIGHT], ...WRONG.map(([, source], i): [string, string] => [`wrong-${i}`, source]));
});

test.each(WRONG.map(([what, , named], i) => [what, named, `wrong-${i}`]))(
  'a script for njs cannot use %s',
  (_, named, name) => {
    expect(said.get(name)).toContain(named);
  },
);

test('a script for njs may use everything that njs has', () => {
  expect(said.get('right')).toBeUndefined();
  expect(said.size).toBe(WRONG.length);
});

test.each(['hotitem.njs.js', 'hotitem.qjs.js', 'hotitem-periodic.njs.js', 'hotitem-periodic.qjs.js'])(
  '%s exports in the form that njs 0.7.9 accepts',
  (name) => {
    const script = readFileSync(join(ROOT, 'dist/nginx', name), 'utf8');

    expect(script.match(/^export .*/gm)).toEqual([expect.stringMatching(/^export default \w+;$/)]);
  },
);

/** All in one run of the compiler, which takes longer to start than to check them. */
function compile(...scripts: [name: string, source: string][]): Map<string, string> {
  const { path: folder, remove } = temporaryFolder('njs');
  for (const [name, source] of scripts) writeFileSync(join(folder, `${name}.ts`), source);
  const config = {
    extends: join(ROOT, 'njs/tsconfig.json'),
    compilerOptions: {
      typeRoots: [join(ROOT, 'node_modules')],
      types: [join(ROOT, 'node_modules/njs-types/ngx_http_js_module')],
    },
    include: ['*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const { status, stdout } = spawnSync(tsc, ['-p', folder], { encoding: 'utf8' });
  remove();
  expect(status).not.toBe(0);
  const problems = stdout.matchAll(/^(?:.*\/)?([\w-]+)\.ts\(.*\): (error .*)$/gm);
  return new Map([...problems].map(([, name = '', problem = '']) => [name, problem]));
}
