/**
 * Where the Lua of an `…_by_lua_block {` that begins at `start` ends: the index of its closing brace, or the text's length.
 * Braces in Lua's strings and comments do not count.
 */
export function endOfLuaBlock(text: string, start: number): number {
  // Comments and strings first, so that what they hold is passed over; a string that is not closed ends with its line.
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
