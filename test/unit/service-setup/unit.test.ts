import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../../service/config/config.ts';
import type { Role } from '../../../service-setup/folders.ts';
import { unitText } from '../../../service-setup/unit.ts';

describe('the unit', () => {
  test.each<{ role: Role; home: string; flags?: Record<string, string>; lines: string[] }>([
    {
      role: 'sidecar',
      home: '/var/lib/hotitem',
      flags: { 'intake-socket': '/run/hotitem/intake.sock' },
      lines: ['StateDirectory=hotitem', 'RuntimeDirectory=hotitem', 'WorkingDirectory=/var/lib/hotitem'],
    },
    {
      role: 'sidecar',
      home: '/srv/shop/views',
      flags: {
        'intake-socket': '/run/shop/a/intake.sock',
        'spool-dir': '/mnt/spool',
        'duckdb-path': '/mnt/spool/x',
        'control-socket': '/run/shop/control/c.sock',
      },
      lines: [
        'RuntimeDirectory=shop/a shop/control',
        'ReadWritePaths=/srv/shop/views /mnt/spool',
        'WorkingDirectory=/srv/shop/views',
      ],
    },
    { role: 'sidecar', home: '/var/lib', lines: ['ReadWritePaths=/var/lib', 'WorkingDirectory=/var/lib'] },
    // The folder of the sidecar's socket would be removed when the sink stops.
    {
      role: 'sink',
      home: '/var/lib/hotitem',
      flags: { 'intake-socket': '/run/hotitem/intake.sock' },
      lines: ['StateDirectory=hotitem', 'WorkingDirectory=/var/lib/hotitem'],
    },
  ])('of a $role with home $home lets it write where it writes', ({ role, home, flags, lines }) => {
    const text = textOf(role, { home, ...flags });
    const written = text
      .split('\n')
      .filter((line) => /^(StateDirectory|RuntimeDirectory|ReadWritePaths|WorkingDirectory)=/.test(line));
    expect(written).toEqual(lines);
  });

  test('keeps the folder that a container has mounted over a restart', () => {
    const text = textOf('sidecar', { home: '/var/lib/hotitem', 'intake-socket': '/run/hotitem/intake.sock' });
    expect(text).toContain(
      '\nRuntimeDirectory=hotitem\nRuntimeDirectoryMode=0755\nRuntimeDirectoryPreserve=restart\n',
    );
  });

  test("limits Node's young generation in a sidecar, and not in a sink, which would be slower", () => {
    expect(textOf('sidecar', { home: '/var/lib/hotitem' })).toMatch(
      /^ExecStart=\S+ --max-semi-space-size=4 /m,
    );
    expect(textOf('sink', { home: '/var/lib/hotitem' })).not.toContain('semi-space');
  });

  test('has a longer stop timeout than the service itself', () => {
    expect(textOf('sidecar', { home: '/var/lib/hotitem', 'shutdown-seconds': '45' })).toContain(
      '\nTimeoutStopSec=65\n',
    );
  });

  test('does not hold up nginx at boot', () => {
    expect(textOf('sidecar', { home: '/var/lib/hotitem' })).not.toMatch(
      /^(Before|WantedBy|RequiredBy)=.*nginx/m,
    );
  });

  test.each(['/var/lib/hot item', '/srv/100%', '/srv/$HOME', '/srv/"x"', '/srv/x\nUser=root', "/srv/'"])(
    'is rejected with a path that systemd would misread: %j',
    (home) => {
      expect(() => textOf('sidecar', { home })).toThrow(`home: is used in a systemd unit`);
    },
  );

  test.each([
    ['home', '/home/shop/var'],
    ['intake.socket', '/tmp/intake.sock'],
    ['control.socket', '/root/control.sock'],
    ['spool.dir', '/var/tmp/spool'],
    ['duckdb.path', '/run/user/0/x'],
  ])('is rejected with %s that the service would not see: %s', (setting, path) => {
    const flag = setting.replaceAll(/[._]/g, '-');
    const flags = { home: '/var/lib/hotitem', 'spill-dir': '/srv/spill', [flag]: path };
    expect(() => textOf('sidecar', flags)).toThrow(`${setting}: is in a folder`);
  });

  test('is rejected with a Node that only one user can run', () => {
    const config = loadConfig({ env: {}, flags: { home: '/var/lib/hotitem' } });
    const node = '/root/.nvm/versions/node/v20.20.2/bin/node';
    const paths = { configFile: '/etc/hotitem/hotitem.yml', program: '/opt/hotitem.mjs', node };
    expect(() => unitText({ role: 'sink', config, version: '1.2.3', ...paths })).toThrow(
      'node: is in a folder',
    );
  });
});

function textOf(role: Role, flags: Record<string, string>): string {
  const config = loadConfig({ env: {}, flags });
  const paths = { node: '/usr/bin/node', program: '/usr/local/lib/node_modules/hotitem/bin/hotitem.mjs' };
  return unitText({ role, configFile: '/etc/hotitem/hotitem.yml', config, ...paths, version: '1.2.3' });
}
