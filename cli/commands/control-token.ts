import { randomBytes } from 'node:crypto';
import { lstat, stat } from 'node:fs/promises';
import { reasonOf } from '../../service/log.ts';
import { plainText } from '../../service/plain-text.ts';
import { replaceFile } from '../../service/replace-file.ts';
import { Trouble } from '../../service/trouble.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { print } from '../terminal.ts';

const BYTES = 32;

export const controlToken: Command = {
  about: 'creates the token for control over admin.listen, in the file admin.control_token_file',
  options: { rotate: { type: 'boolean', about: 'replace an existing token at once' } },
  configured: true,
  async run(context) {
    const { rotate, ...flags } = context.flags;
    const { admin, home } = configure({ ...context, flags });
    const path = admin.control_token_file;
    if (path === undefined)
      throw new Trouble(
        'admin.control_token_file is not set',
        'Set it in hotitem.yml, for example to /etc/hotitem/control.token, and run this again.',
      );
    if (!rotate && (await lstat(path).catch(() => undefined)) !== undefined)
      throw new Trouble(
        `${plainText(path)} is there already`,
        '--rotate replaces it: the old token is then rejected.',
      );
    const text = `${randomBytes(BYTES).toString('base64url')}\n`;
    const owner = await ownerOf(home);
    await replaceFile(path, text, { mode: 0o600, ...(owner !== undefined && { owner }) }).catch(
      (error: unknown) => {
        throw new Trouble(`${plainText(path)} cannot be written: ${reasonOf(error)}`);
      },
    );
    print(
      `${plainText(path)}: a new token, for its owner only; restart the sidecar if it was not configured before\n`,
    );
    return 0;
  },
};

/** Root makes it for the service, which owns the state. */
async function ownerOf(home: string): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const found = await stat(home).catch(() => undefined);
  if (found === undefined)
    throw new Trouble(
      `${plainText(home)} (home) is not there, so the user of the service is not known`,
      'Install or start the service first, or run this as its user.',
    );
  return { uid: found.uid, gid: found.gid };
}
