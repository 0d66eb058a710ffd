/** Control characters, bidirectional controls, invisible characters and unpaired surrogates. */
export const UNSAFE: RegExp = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * JSON that is safe for a terminal: `JSON.stringify` leaves DEL, C1 and bidirectional controls unescaped; here they are `\u009b`. The value
 * does not change, nor does the final newline.
 */
export function terminalJson(json: string): string {
  return json.replaceAll(UNSAFE, (character) => (character === '\n' ? character : escaped(character)));
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}

/** The value of a JSON text; undefined if it is none. */
export function toJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
