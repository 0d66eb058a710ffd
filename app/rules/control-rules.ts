import { readControlToken } from '../../service/admin/control-token.ts';
import type { Config } from '../../service/config/config.ts';
import { type Finding, shellWord } from '../../service/finding.ts';
import { reasonOf } from '../../service/log.ts';
import { readSecrets } from '../../webhooks/secrets.ts';
import { serviceUid } from '../service-uid.ts';
import { unreadableFindings } from './unreadable.ts';

type Settings = Pick<Config, 'admin' | 'webhooks' | 'heat' | 'home'>;

/** Whether the files of control and of webhooks can be used, as the service reads them. */
export function controlFindings(config: Settings): Finding[] {
  const unused = unusedFindings(config);
  return unused.length > 0 ? unused : [...tokenFindings(config), ...secretFindings(config)];
}

/** What is configured and does nothing, because no hot items are detected. */
export function unusedFindings({ admin, webhooks, heat }: Settings): Finding[] {
  if (heat.enabled) return [];
  const unused = [
    ...(admin.control_token_file === undefined ? [] : ['admin.control_token_file']),
    ...(webhooks.some(({ enabled }) => enabled) ? ['webhooks'] : []),
  ];
  return unused.map((setting) => ({
    id: 'heat-off',
    severity: 'warning',
    what: `${setting} has no effect, because heat.enabled is false`,
    why: 'without the detection of hot items there is nothing to control, and nothing to tell',
    fix: `set heat.enabled to true, or remove ${setting}`,
  }));
}

function tokenFindings({ admin: { control_token_file: path }, home }: Settings): Finding[] {
  if (path === undefined) return [];
  const why = 'the sidecar refuses all control over admin.listen';
  try {
    const uid = serviceUid({ home });
    readControlToken(path, uid);
    // A token has mode 0600: its group does not help.
    return unreadableFindings(path, home, 'control-token', why).map((finding) => ({
      ...finding,
      fix: 'make it the file of that user',
      command: `chown ${uid} ${shellWord(path)}`,
    }));
  } catch (error) {
    return [
      {
        id: 'control-token',
        severity: 'error',
        what: `the token cannot be used: ${reasonOf(error)} (admin.control_token_file: ${path})`,
        why,
        fix: 'correct the file, or make one: hotitem control token',
      },
    ];
  }
}

function secretFindings({ webhooks, home }: Settings): Finding[] {
  return webhooks
    .filter(({ enabled }) => enabled)
    .flatMap(({ name, secret_file: path }): Finding[] => {
      const why = `nothing is delivered to the webhook ${name}`;
      try {
        readSecrets(path, serviceUid({ home }));
        return unreadableFindings(path, home, 'webhook-secret', why);
      } catch (error) {
        return [
          {
            id: 'webhook-secret',
            severity: 'error',
            what: `the secret of the webhook ${name} cannot be used: ${reasonOf(error)} (secret_file: ${path})`,
            why,
            fix: 'correct the file: docs/webhooks.md has the commands',
          },
        ];
      }
    });
}
