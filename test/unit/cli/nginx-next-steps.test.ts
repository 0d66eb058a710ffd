import { describe, expect, test } from '@jest/globals';
import { nextSteps, type StepsNginx } from '../../../cli/nginx-next-steps.ts';
import { loadConfig } from '../../../service/config/config.ts';

describe('what nginx install says to add to nginx.conf', () => {
  test.each<[string, StepsNginx | undefined, string[]]>([
    ['njs 0.8.9', nginxOf('0.8.9'), ['http.conf', 'http-batch.conf', 'server.conf', 'capture-batch.conf']],
    ['njs 0.8.1', nginxOf('0.8.1'), ['http.conf', 'http-batch.conf', 'server.conf', 'capture-batch.conf']],
    ['njs 0.7.9', nginxOf('0.7.9'), ['http.conf', 'server.conf', 'capture-subrequest.conf']],
    ['njs 0.7.8', nginxOf('0.7.8'), ['http-log.conf', 'capture-log.conf']],
    ['no njs', nginxOf(undefined), ['http-log.conf', 'capture-log.conf']],
    ['no nginx', undefined, ['http.conf', 'http-batch.conf', 'server.conf', 'capture-batch.conf']],
  ])('fits an nginx with %s', (_, nginx, includes) => {
    const text = stepsFor(nginx, {});
    expect(
      [...text.matchAll(/include \/etc\/nginx\/hotitem\/([\w-]+\.conf);/g)].map(([, name]) => name),
    ).toEqual(includes);
  });

  test('tells how the workers get access, by the name of their group', () => {
    const text = stepsFor({ ...nginxOf('0.8.9'), group: 'shop' }, {});
    expect(text).toContain('\nintake:\n  socket_group: shop\n');
    expect(text).toContain('chgrp shop /var/lib/hotitem/spill && chmod 2770 /var/lib/hotitem/spill');
  });

  test('does not tell to set a group that is set', () => {
    const text = stepsFor(nginxOf('0.8.9'), { HOTITEM_INTAKE_SOCKET_GROUP: 'www-data' });
    expect(text).toContain('The sidecar gives the group www-data access to the socket ');
    expect(text).not.toContain('socket_group:');
  });
});

function nginxOf(njs: string | undefined): StepsNginx {
  return { version: '1.26.3', njs, group: undefined };
}

function stepsFor(nginx: StepsNginx | undefined, env: Record<string, string>): string {
  const settings = { HOTITEM_HOME: '/var/lib/hotitem', ...env };
  return nextSteps('/etc/nginx/hotitem', loadConfig({ env: settings, flags: {} }), nginx);
}
