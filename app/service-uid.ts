import { statSync } from 'node:fs';

/** The user of the service: whoever runs this, or, for root, the owner of `home`. */
export function serviceUid({ home }: { home: string }): number {
  const own = process.getuid?.() ?? 0;
  return own === 0 ? (statSync(home, { throwIfNoEntry: false })?.uid ?? 0) : own;
}
