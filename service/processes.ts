import { readdir } from 'node:fs/promises';

/** The processes of this host that are visible here. Empty if there is no /proc. */
export async function processIds(): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}
