import { describe, expect, test } from '@jest/globals';
import { createProgress } from '../../../cli/progress.ts';

describe('progress', () => {
  test('is a bar on a terminal, redrawn a few times a second at most, and gone in the end', () => {
    const { terminal, written } = openTerminal(true);
    let time = 0;
    const progress = createProgress('replayed', terminal, () => time);
    progress.show(500, 2_000);
    time = 99;
    progress.show(501, 2_000);
    time = 100;
    progress.show(1_000, 2_000);
    progress.end();
    expect(written).toEqual([
      '\r\x1b[Kreplayed [########----------------------]  25 %  500 of 2,000',
      '\r\x1b[Kreplayed [###############---------------]  50 %  1,000 of 2,000',
      '\r\x1b[K',
    ]);
  });

  test('is a count if the total is unknown', () => {
    const { terminal, written } = openTerminal(true);
    createProgress('read', terminal).show(1_234_567);
    expect(written).toEqual(['\r\x1b[Kread 1,234,567']);
  });

  test('writes nothing into a file or a pipe', () => {
    const { terminal, written } = openTerminal(false);
    const progress = createProgress('read', terminal);
    progress.show(1, 2);
    progress.end();
    expect(written).toEqual([]);
  });

  function openTerminal(isTTY: boolean) {
    const written: string[] = [];
    const terminal = {
      isTTY,
      write(text: string) {
        written.push(text);
        return true;
      },
    };
    return { terminal, written };
  }
});
