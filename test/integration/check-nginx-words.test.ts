import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { tokensOf } from '../../nginx-setup/conf/tokens.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import { runs } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { startNginx, testConfiguration } from '../parts/nginx.ts';
import { temporaryPaths } from '../parts/nginx-conf.ts';
import { freePorts } from '../parts/ports.ts';

const CASES = runs(400);
// No dollar: to `return` it is a variable. What matters to nginx's reader, and little else.
const source = fc.array(fc.constantFrom(...'\\\\\\"\'tnr;{}# \tab)é'), { minLength: 1, maxLength: 8 });

test('nginx splits words as we do', async () => {
  const build = await obtainNginx({ suite: 'trixie', report: () => {} });
  const { path: folder, remove } = temporaryFolder('words');
  const [port] = await freePorts(1);
  const words = fc
    .sample(
      source.map((parts) => parts.join('')),
      CASES * 20,
    )
    .flatMap((text) => {
      const [name, word, end, ...more] = tokensOf(`return ${text};`);
      const one = name?.kind === 'word' && word?.kind === 'word' && end?.kind === ';' && more.length === 0;
      return one && word.text !== '' ? [{ text, means: word.text }] : [];
    });
  expect(words.length).toBeGreaterThan(CASES);
  const locations = words.map(({ text }, i) => `location = /${i} { return 200 ${text}; }`);
  mkdirSync(join(folder, 'temp'));
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `pid ${folder}/pid; error_log ${folder}/error.log; events { } http { access_log off;
    ${temporaryPaths(join(folder, 'temp'))}
    server { listen 127.0.0.1:${port};\n${locations.join('\n')}\n} }\n`,
  );
  try {
    expect(await testConfiguration({ build, prefix: folder, config })).toMatchObject({ ok: true });
    const nginx = await startNginx({ build, prefix: folder, config });
    try {
      const answers: string[] = [];
      for (const i of words.keys()) answers.push(await (await fetch(`http://127.0.0.1:${port}/${i}`)).text());
      expect(answers).toEqual(words.map(({ means }) => means));
    } finally {
      await nginx.close();
    }
  } finally {
    remove();
  }
}, 300_000);
