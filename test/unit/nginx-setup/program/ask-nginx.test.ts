import { describe, expect, test } from '@jest/globals';
import { complaintsOf, whyNoNginx } from '../../../../nginx-setup/program/ask-nginx.ts';
import { parseBuild } from '../../../../nginx-setup/program/build.ts';

describe('the output of nginx', () => {
  test('with -V gives its build options', () => {
    const text = `nginx version: nginx/1.26.3 (Debian)
built with OpenSSL 3.5.0
configure arguments: --with-cc-opt='-g -O2' --prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf --pid-path=/run/nginx.pid --modules-path=/usr/lib/nginx/modules --user=www-data
`;
    expect(parseBuild(text)).toEqual({
      version: '1.26.3',
      prefix: '/usr/share/nginx',
      conf: '/etc/nginx/nginx.conf',
      pid: '/run/nginx.pid',
      modulesPath: '/usr/lib/nginx/modules',
      user: 'www-data',
      group: 'www-data',
    });
  });

  test("with -V without options gives nginx's defaults", () => {
    expect(parseBuild('nginx version: openresty/1.27.1.2\n')).toMatchObject({
      version: '1.27.1.2',
      conf: '/usr/local/nginx/conf/nginx.conf',
      user: 'nobody',
      group: 'nobody',
    });
    expect(parseBuild('Python 3.13')).toBeUndefined();
  });

  test.each([
    [
      'nginx: [emerg] unknown directive "js_set" in /etc/nginx/h.conf:19\nnginx: configuration file /etc/nginx/nginx.conf test failed',
      [{ text: 'unknown directive "js_set"', where: { file: '/etc/nginx/h.conf', line: 19 }, rights: false }],
    ],
    [
      'nginx: [emerg] open() "/etc/nginx/nginx.conf" failed (13: Permission denied)',
      [{ text: 'open() "/etc/nginx/nginx.conf" failed (13: Permission denied)', rights: true }],
    ],
    [
      '2026/11/22 17:19:22 [emerg] 13502#13502: unknown directive "a" in /n:1\nnginx: [emerg] unknown directive "a" in /n:1',
      [{ text: 'unknown directive "a"', where: { file: '/n', line: 1 }, rights: false }],
    ],
    ['Killed', [{ text: 'Killed', rights: false }]],
    ['', [{ text: 'nginx -T printed nothing', rights: false }]],
  ])('with -T on an error: %j', (stderr, complaints) => {
    expect(complaintsOf(stderr)).toEqual(complaints);
  });
});

/** As /bin/sh would run it in the place of nginx. */
describe('what is no nginx is said to be so because', () => {
  test.each([
    ['exit 3', 'it printed no version, and ended with exit status 3'],
    [
      'echo "libpcre2-8.so.0: cannot open shared object file" >&2; exit 127',
      'libpcre2-8.so.0: cannot open shared object file',
    ],
    ['kill -9 $$', 'it was ended by a signal, or took longer than 20 s'],
    ["printf '\\033[2Jx'", '\\x1b[2Jx'],
  ])('%s', async (script, reason) => {
    expect(await whyNoNginx(['/bin/sh', '-c', script])).toBe(reason);
  });

  test('it cannot be started', async () => {
    expect(await whyNoNginx(['/etc/passwd'])).toBe('spawn /etc/passwd EACCES');
  });
});
