import { isIP } from 'node:net';

const LINK = /^(?:tcp|udp|sctp):\/\//;
const NUMBER = /^\d+$/;
const PROTOCOL = /^(?:tcp|udp|sctp)$/;

/** Suffixes and values of the variables that Kubernetes sets in each container for each Service of its namespace. */
const OF_A_SERVICE: [RegExp, (value: string) => boolean][] = [
  [/_SERVICE_HOST$/, (value) => isIP(value) !== 0],
  [/_SERVICE_PORT(?:_[A-Z\d_]+)?$/, (value) => NUMBER.test(value)],
  [/_PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/, (value) => LINK.test(value)],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_PROTO$/, (value) => PROTOCOL.test(value)],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_PORT$/, (value) => NUMBER.test(value)],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_ADDR$/, (value) => isIP(value) !== 0],
];

/**
 * Whether Kubernetes sets such a variable for a Service named `hotitem` or `hotitem-…`. The value is checked as well: `HOTITEM_PORT=9180`
 * is meant as a setting.
 */
export function isOfKubernetes(variable: string, value: string): boolean {
  return OF_A_SERVICE.some(([name, holds]) => name.test(variable) && holds(value));
}
