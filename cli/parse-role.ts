import { ROLES, type Role } from '../service-setup/folders.ts';
import { UsageError } from './parse-command-line.ts';

/** The service that a command is about; default: the sidecar. Throws a `UsageError`. */
export function parseRole(positionals: string[]): Role {
  const [name = 'sidecar', ...more] = positionals;
  const role = ROLES.find((known) => known === name);
  if (role === undefined || more.length > 0)
    throw new UsageError(`service: must be ${ROLES.join(' or ')} (got ${positionals.join(' ')})`);
  return role;
}
