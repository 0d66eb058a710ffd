import { describe, expect, test } from '@jest/globals';
import { type Role, unitText } from '../../../../cli/service/unit.ts';
import { loadConfig } from '../../../../service/config.ts';

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
      },
      lines: [
        'RuntimeDirectory=shop/a',
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

  test('waits longer for the end than the service itself', () => {
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
    'is refused with a path that systemd would read as something else: %j',
    (home) => {
      expect(() => textOf('sidecar', { home })).toThrow(
        expect.objectContaining({ message: expect.stringContaining(JSON.stringify(home)) }),
      );
    },
  );
});

function textOf(role: Role, flags: Record<string, string>): string {
  const config = loadConfig({ env: {}, flags });
  const paths = { node: '/usr/bin/node', program: '/usr/local/lib/node_modules/hotitem/bin/hotitem.mjs' };
  return unitText({ role, configFile: '/etc/hotitem/hotitem.yml', config, ...paths, version: '1.2.3' });
}
