import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadConfig } from '../../service/config/config.ts';
import { SETTINGS } from '../../service/config/setting.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('the documentation', () => {
  test('has every setting in the extended example, with its default if it has one', () => {
    const text = read('hotitem.extended.example.yml');
    const values: unknown = parse(text);
    const withExamples: unknown = parse(uncommented(text));
    for (const { path, fallback, secret } of SETTINGS) {
      const name = path.join('.');
      // Kept out of files: only named, in the comments of its section.
      if (secret)
        expect([name, wordsOf(text, path[0])]).toEqual([name, expect.arrayContaining(path.slice(-1))]);
      else if (fallback === undefined)
        expect([name, valueAt(withExamples, path)]).toEqual([name, expect.anything()]);
      else if (name !== 'node') expect([name, valueAt(values, path)]).toEqual([name, fallback]);
    }
  });

  test.each(['hotitem.example.yml', 'hotitem.extended.example.yml'])(
    'has a valid configuration in %s',
    (file) => {
      expect(loadConfig({ file: join(ROOT, file), env: {}, flags: {} })).toHaveProperty('home');
    },
  );

  test('names only commands that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [
      ...[read('README.md'), read('docs/development.md')].join('\n').matchAll(/npm run ([\w:]+)/g),
    ].map(([, script]) => script);
    expect(named.filter((script) => !(script !== undefined && script in scripts))).toEqual([]);
  });
});

/** With the settings that are commented out: `# node: web-1`. */
function uncommented(text: string): string {
  return text.replace(/^( *)# ( *[a-z_]+:(?: |$))/gm, '$1$2');
}

/** The words of a section, comments and all. */
function wordsOf(text: string, section = ''): string[] {
  const [, body = ''] = new RegExp(`^${section}:\\n((?: .*\\n|\\n)*)`, 'm').exec(text) ?? [];
  return body.match(/\w+/g) ?? [];
}

function valueAt(values: unknown, path: string[]): unknown {
  return path.reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], values);
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}
