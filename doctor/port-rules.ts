import type { ServiceAddress } from '../app/parts.ts';
import type { Finding } from '../service/finding.ts';
import { splitAddress } from '../service/listen-address.ts';
import { listenersAt } from '../service/listener.ts';
import { plainText } from '../service/plain-text.ts';
import { askService } from '../status/ask-service.ts';

/** Whether another process listens on the port of a service. Only root sees which process has a port. */
export async function portFindings(addresses: ServiceAddress[]): Promise<Finding[]> {
  const found = await Promise.all(addresses.map(findingOf));
  return found.filter((one) => one !== undefined);
}

async function findingOf({ name, setting, listen }: ServiceAddress): Promise<Finding | undefined> {
  const service = await askService(listen, setting);
  if (!('problem' in service)) return undefined;
  const { port } = splitAddress(listen);
  const [first] = await listenersAt(port);
  // Something answers, but its process is not visible; or nothing does, and the service is not running.
  if (first === undefined && service.silent) return undefined;
  const who = first === undefined ? 'another program' : `${plainText(first.name, 60)} (pid ${first.pid})`;
  const find = first === undefined ? `ss -ltnp 'sport = :${port}'` : `kill ${first.pid}`;
  return {
    id: 'port-taken',
    severity: 'error',
    what: `${listen}, the ${setting} of the ${name}, is in use: ${who} listens there, and is not hotitem, or hangs`,
    why: `the ${name} cannot be monitored, and may not start`,
    fix: `stop that program, or set another ${setting} in the configuration; then restart the ${name}`,
    command: `${find} && systemctl restart hotitem-${name}`,
  };
}
