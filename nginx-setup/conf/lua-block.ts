/**
 * The end of the Lua of an `…_by_lua_block {` that begins at `start`: the index of its closing brace, or the length of the text.
 * Braces in Lua strings and comments do not count.
 */
export function endOfLuaBlock(text: string, start: number): number {
  // Comments and strings come first, so that their content is skipped; an unclosed string ends with its line.
  const piece =
    /--\[(?<a>=*)\[[\s\S]*?(?:\]\k<a>\]|$)|--[^\n]*|\[(?<b>=*)\[[\s\S]*?(?:\]\k<b>\]|$)|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?|[{}]/g;
  piece.lastIndex = start;
  let depth = 1;
  for (let found = piece.exec(text); found !== null; found = piece.exec(text)) {
    if (found[0] === '{') depth++;
    if (found[0] === '}') depth--;
    if (depth === 0) return found.index;
  }
  return text.length;
}
