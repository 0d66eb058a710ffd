import { UNSAFE } from './json-text.ts';

/** Anybody's text as one line fit for a terminal: `\n` and escape sequences are shown, not obeyed. Cut at `most` characters. */
export function plainText(text: string, most: number = Number.POSITIVE_INFINITY): string {
  const safe = text.slice(0, Math.min(text.length, most + 1)).replaceAll(UNSAFE, escaped);
  return safe.length > most ? `${safe.slice(0, most - 1)}…` : safe;
}

/** Text of several lines, fit for a terminal: the ends of its lines stay, all else is shown as `plainText` shows it. */
export function plainLines(text: string): string {
  return text.replaceAll(UNSAFE, (character) => (character === '\n' ? character : escaped(character)));
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code === 0x0a) return '\\n';
  if (code === 0x0d) return '\\r';
  if (code === 0x09) return '\\t';
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
