import { expect, test } from '@jest/globals';
import { nginxFindings } from '../../../../nginx-setup/check/nginx-rules.ts';
import { parseDirectives } from '../../../../nginx-setup/conf/directives.ts';
import { complaintsOf } from '../../../../nginx-setup/program/ask-nginx.ts';
import { factsOf } from './shop-facts.ts';

const { build } = factsOf({});

test.each([
  ['open() "/etc/nginx/nginx.conf" failed (13: Permission denied)', 'no-rights', 'run this as root'],
  ['unknown directive "gzap" in /etc/nginx/nginx.conf:3', 'nginx-refuses', 'fix what it names'],
])('the message of nginx %s is the finding %s', (said, id, fix) => {
  const complaints = complaintsOf(`nginx: [emerg] ${said}\n`);
  const main = parseDirectives('/n', '');
  const [finding] = nginxFindings(
    { build, dump: undefined, complaints },
    { main, files: [main], missing: [] },
  );

  expect(finding).toMatchObject({ id, severity: 'error', fix: expect.stringContaining(fix) });
});

test('a file that nginx accepts and we cannot parse is a warning, with its line', () => {
  const main = parseDirectives('/n', 'gzip on;\n}');
  const asked = { build, dump: '', complaints: [] };

  expect(nginxFindings(asked, { main, files: [main], missing: [] })).toMatchObject([
    { id: 'not-understood', severity: 'warning', where: { file: '/n', line: 2 } },
  ]);
});
