import { mkdirSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseDirectives } from '../../nginx-setup/conf/directives.ts';
import { locate } from '../../nginx-setup/conf/locate.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { startNginx } from '../parts/nginx.ts';
import { temporaryPaths } from '../parts/nginx-conf.ts';
import { freePorts } from '../parts/ports.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { ask } from './nginx-ask.ts';

const agent = new Agent({ keepAlive: true });
const SERVERS = 150;
const SEED = 1;

const PREFIXES = ['/', '/a', '/a/', '/a/b', '/a/b/', '/b/'];
// As shops have them, those that only PCRE spells so among them.
const PATTERNS = [
  '\\.html$',
  '^/a',
  'b',
  '/b/',
  '^/$',
  '(?i)\\.HTML$',
  '/[[:alpha:]]$',
  '^/a++/',
  '\\A/c\\z',
  '^/(?P<one>.)/$',
];
const URIS = ['/', '/a', '/a/', '/a/b', '/a/b/', '/a/b/c.html', '/a/c.HTML', '/b/x.html', '/c', '/ab'];

const prefix = fc.tuple(fc.constantFrom('', '', '^~ ', '= '), fc.constantFrom(...PREFIXES));
const regex = fc.tuple(fc.constantFrom('~ ', '~* '), fc.constantFrom(...PATTERNS));
const regexes = fc.uniqueArray(regex, { maxLength: 2, selector: ([, pattern]) => pattern });
const server = fc
  .record({
    prefixes: fc.uniqueArray(prefix, { maxLength: 4, selector: ([, path]) => path }),
    outer: regexes,
    inner: regexes,
  })
  .map(({ prefixes, outer, inner }) => {
    let number = 0;
    const write = ([modifier, pattern]: [string, string], inside = ''): string =>
      `location ${modifier}${pattern} { return 200 "${number++}"; ${inside} }`;
    const written = prefixes.map((one) =>
      write(one, one[0] === '= ' ? '' : inner.map((nested) => write(nested)).join(' ')),
    );
    return [...written, ...outer.map((one) => write(one))].join('\n');
  });

suiteWith(['nginx'])('the location that check takes for a URI', () => {
  test('is that of nginx', async () => {
    const build = await obtainNginx({ suite: 'trixie', report });
    const { path: folder, remove } = temporaryFolder('locate');
    const [port = 0] = await freePorts(1);
    const servers = fc.sample(server, { seed: SEED, numRuns: SERVERS });
    mkdirSync(join(folder, 'empty'));
    const config = join(folder, 'nginx.conf');
    writeFileSync(
      config,
      `pid ${folder}/pid; error_log ${folder}/error.log crit; events { } http { access_log off; root ${folder}/empty; merge_slashes off;
      ${temporaryPaths(folder)}
      ${servers.map((text, n) => `server { listen 127.0.0.1:${port}; server_name s${n}.invalid; ${text} }`).join('\n')} }\n`,
    );
    const nginx = await startNginx({ build, prefix: folder, config });
    try {
      for (const [n, text] of servers.entries()) {
        const [block] = parseDirectives('x', `server { ${text} }`).directives;
        for (const uri of URIS) {
          const taken = block === undefined ? undefined : locate(block, uri);
          const ours = taken?.block?.find(({ name }) => name === 'return')?.args[1] ?? 'none';
          expect({ seed: SEED, text, uri, taken: ours }).toEqual({
            seed: SEED,
            text,
            uri,
            taken: await answer(port, n, uri),
          });
        }
      }
    } finally {
      await nginx.close();
      remove();
    }
  }, 300_000);
});

async function answer(port: number, n: number, uri: string): Promise<string> {
  const { status, body } = await ask({ port, path: uri, agent, headers: { host: `s${n}.invalid` } });
  return status === 200 ? body : 'none';
}
