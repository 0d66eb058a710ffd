/** The ids of findings of that severity in a report for a terminal. */
export function idsIn(text: string, severity: string): string[] {
  return [...text.matchAll(new RegExp(`^${severity} .*\\[([a-z-]+)\\]$`, 'gm'))].map(([, id = '']) => id);
}

/** The command that a report gives with a finding; empty where it gives none. */
export function commandOf(text: string, id: string): string {
  const at = text.indexOf(`[${id}]`);
  const part = at === -1 ? '' : (text.slice(at).split('\n\n', 1)[0] ?? '');
  return /^ {2}run {4}(.*)$/m.exec(part)?.[1] ?? '';
}
