import { expect, test } from '@jest/globals';
import { parseTitle } from '../../../../nginx-setup/program/running-nginx.ts';

test.each([
  ['nginx: master process /usr/sbin/nginx -g daemon on; master_process on;', undefined],
  ['nginx: master process nginx -c /etc/nginx/nginx-custom.conf', '/etc/nginx/nginx-custom.conf'],
  ['nginx: master process /usr/sbin/nginx -p /srv/a -c conf/b.conf -g daemon off;', '/srv/a/conf/b.conf'],
  ['nginx: master process /usr/sbin/nginx -c/etc/a.conf\0\0\0', '/etc/a.conf'],
  ['/lib/ld.so\0--library-path\0/lib\0nginx: master process /a/nginx -c /b', '/b'],
])('%s reads %s', (title, conf) => {
  expect(parseTitle(7, title)).toMatchObject({ pid: 7, conf });
});

test.each(['nginx: worker process', '/usr/sbin/nginx -c /a', 'vi nginx: master process'])(
  '%s is not a master',
  (title) => {
    expect(parseTitle(7, title)).toBeUndefined();
  },
);
