import { randomBytes } from 'node:crypto';

/** Names in the hot list by which nginx knows the keeper. The latest comes first; the one before it is still known for requests under way. */
export type Words = {
  all(): string[];
  latest(): string;
  /** Makes the first one, if there is none. */
  begin(): void;
  end(): void;
  /** Makes another one from time to time. Returns whether it did. */
  turn(): boolean;
};

const EVERY_MS = 60_000;

export function createWords(now: () => number): Words {
  let words: { word: string; madeAt: number }[] = [];
  return {
    all: () => words.map(({ word }) => word),
    latest: () => words[0]?.word ?? '',
    begin() {
      if (words.length === 0) words = [make()];
    },
    end() {
      words = [];
    },
    turn() {
      const [latest] = words;
      if (latest === undefined || Math.abs(now() - latest.madeAt) < EVERY_MS) return false;
      words = [make(), latest];
      return true;
    },
  };

  function make(): { word: string; madeAt: number } {
    return { word: randomBytes(32).toString('hex'), madeAt: now() };
  }
}
