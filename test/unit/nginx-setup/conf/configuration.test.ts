import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  dumpSource,
  globMatcher,
  readConfiguration,
  splitDump,
} from '../../../../nginx-setup/conf/configuration.ts';
import { diskSource } from '../../../../nginx-setup/conf/disk-source.ts';
import { createSite } from '../../../../nginx-setup/conf/site.ts';
import { anyText } from '../../../parts/any-text.ts';
import { temporaryFolder } from '../../../parts/guard.ts';

const FILES = {
  'nginx.conf':
    'include modules/*.conf;\nhttp {\n  include sites/[ab]?.conf;\n  include /nowhere/x.conf;\n  gzip on;\n}\n',
  'modules/10.conf': 'load_module x.so;\n',
  'sites/b1.conf': 'server { listen 2; }\n',
  'sites/a1.conf': 'server { listen 1; include common.conf; }\n',
  'sites/.a1.conf': 'server { listen 3; }\n',
  'common.conf': 'include common.conf;\nroot /srv;\n',
};

describe('a configuration of several files', () => {
  const { path: folder, remove } = temporaryFolder('configuration');
  afterAll(remove);
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const dump = Object.entries(FILES)
    .map(([name, text]) => `# configuration file ${join(folder, name)}:\n${text}\n`)
    .join('');

  test.each([
    ['from nginx -T', dumpSource(splitDump(dump))],
    ['from the disk', diskSource],
  ])('is read in the order of nginx, %s', (_, source) => {
    const configuration = readConfiguration(join(folder, 'nginx.conf'), source);
    const { spots } = createSite(configuration);

    expect(
      spots
        .filter(({ directive }) => directive.name !== 'include')
        .map(({ directive: { name, args }, around }) =>
          [...around.map((block) => block.name), name, ...args].join(' '),
        ),
    ).toEqual([
      'load_module x.so',
      'http',
      'http server',
      'http server listen 1',
      'http server root /srv',
      'http server',
      'http server listen 2',
      'http gzip on',
    ]);
    expect(configuration.missing).toMatchObject([{ args: ['/nowhere/x.conf'], line: 4 }]);
  });

  test('that includes itself terminates', () => {
    const files = new Map([['/n.conf', 'include /n.conf;\ninclude /*.conf;']]);
    expect(readConfiguration('/n.conf', dumpSource(files)).files).toHaveLength(1);
  });

  test('printed by nginx -T is equal to its files', () => {
    const line = anyText().filter((text) => !/\n|^# configuration file .+:$/.test(text));
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ minLength: 1 }).map((name) => `/${name}`),
          line,
        ),
        (texts) => {
          const printed = Object.entries(texts).map(
            ([path, text]) => `# configuration file ${path}:\n${text}\n`,
          );
          const files = splitDump(printed.join(''));
          expect([...files.keys()]).toEqual(Object.keys(texts));
          for (const [path, text] of Object.entries(texts))
            expect(files.get(path)?.trimEnd()).toBe(text.trimEnd());
        },
      ),
    );
  });

  test.each([
    ['/etc/*.conf', '/etc/a.conf', true],
    ['/etc/*.conf', '/etc/sub/a.conf', false],
    ['/etc/*.conf', '/etc/.a.conf', false],
    ['/etc/a?.conf', '/etc/a1.conf', true],
    ['/etc/[!a]*', '/etc/b', true],
    ['/etc/[!a]*', '/etc/a', false],
    ['/etc/[a-c]+(x)', '/etc/b+(x)', true],
    ['/etc/[]x]', '/etc/]', true],
    ['/etc/[', '/etc/[', true],
  ])('the pattern %s and %s: %s', (pattern, path, matches) => {
    expect(globMatcher(pattern)(path)).toBe(matches);
  });

  test('any pattern is accepted without an exception', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...'*?[]!-^\\a/é'), { maxLength: 10 }), (parts) => {
        expect(typeof globMatcher(parts.join(''))('/etc/a')).toBe('boolean');
      }),
    );
  });
});
