/** Work in pieces that each take longer than a time slice, and how often it yielded between them. */
export type LongWork = { piece(): void; turns(): number };

const PIECE_MS = 25;

export function createLongWork(): LongWork {
  let turns = 0;
  let isWaited = false;
  return {
    piece() {
      if (!isWaited) {
        isWaited = true;
        setImmediate(() => {
          isWaited = false;
          turns++;
        });
      }
      const until = performance.now() + PIECE_MS;
      while (performance.now() < until);
    },
    turns: () => turns,
  };
}
