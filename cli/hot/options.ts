import type { CommandOption } from '../command.ts';

export const REASON: CommandOption = { type: 'string', placeholder: 'TEXT', about: 'why, for the audit log' };
export const FOR: CommandOption = {
  type: 'string',
  placeholder: 'TIME',
  about: 'for how long, like 30m (s, m, h, d)',
};
export const UNTIL: CommandOption = { type: 'string', placeholder: 'TIME', about: 'until when: ISO 8601' };
export const JSON_OPTION: CommandOption = { type: 'boolean', about: 'print JSON' };
