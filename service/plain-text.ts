import { UNSAFE } from './json-text.ts';

/**
 * Text from an untrusted source as one line that is safe for a terminal: `\n` and escape sequences are shown, not interpreted. Truncated to
 * `most` characters.
 */
export function plainText(text: string, most: number = Number.POSITIVE_INFINITY): string {
  const safe = text.slice(0, Math.min(text.length, most + 1)).replaceAll(UNSAFE, escaped);
  return safe.length > most ? `${safe.slice(0, most - 1)}…` : safe;
}

/** The same for text of several lines: newlines are kept. */
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
