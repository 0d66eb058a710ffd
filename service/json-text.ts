/** Controls, what turns the direction of writing, what cannot be seen, and half characters. */
export const UNSAFE: RegExp = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * JSON as it may stand on a terminal: `JSON.stringify` leaves DEL, C1 and what turns the direction of writing as they are,
 * here they are `\u009b`. The value is the same, and so is the end of a line.
 */
export function terminalJson(json: string): string {
  return json.replaceAll(UNSAFE, (character) => (character === '\n' ? character : escaped(character)));
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}
