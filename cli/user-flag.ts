import type { CommandOption, Flags } from './command.ts';

/** The flag `--user` of the services. */
export const USER_OPTION: Record<'user', CommandOption> = {
  user: {
    type: 'string',
    placeholder: 'NAME',
    about: 'if started as root: switch to this user, after the configuration and its secrets are read',
  },
};

/** The user that it names. */
export function userOf({ user }: Flags): string | undefined {
  return typeof user === 'string' ? user : undefined;
}
