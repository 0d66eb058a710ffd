import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isbot } from 'isbot';
import { createBotTest } from '../../../event/bot-test.ts';
import { createLine, type Line } from '../../../event/line.ts';
import { line } from './lines.ts';

const reader = createLine();

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';

/** A line with that user agent, as nginx sends it. */
function lineOf(ua: string): Line {
  const bytes = Buffer.from(ua).toString('latin1');
  expect(reader.read(Buffer.from(line({ ua: bytes }), 'latin1'), 0)).toBe(true);
  return reader;
}

describe('a user agent', () => {
  test.each([
    ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', true],
    ['Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)', true],
    [
      'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
      true,
    ],
    ['curl/8.5.0', true],
    ['python-requests/2.32.3', true],
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36',
      true,
    ],
    [CHROME, false],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
      false,
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0', false],
    ['', false],
  ])('%j is a bot: %s', (ua, bot) => {
    expect(createBotTest()(lineOf(ua))).toBe(bot);
  });

  test('always gets the same answer, in whatever order others are asked', () => {
    const ua = fc.oneof(
      fc.string(),
      fc.constantFrom(CHROME, 'curl/8.5.0', 'Googlebot', '\ud800', 'spider \ufffd'),
    );
    fc.assert(
      fc.property(fc.array(ua, { maxLength: 60 }), (uas) => {
        const isBot = createBotTest(8);
        const twice = [...uas, ...uas].map((one) => one.replace(/\n/g, ' ').toWellFormed());
        expect(twice.map((one) => isBot(lineOf(one)))).toEqual(twice.map((one) => isbot(one)));
      }),
    );
  });

  // A pattern that backtracks exponentially would never end on these, one that does so quadratically not in time.
  test.each([
    'a',
    'ab ',
    '1',
    '1.',
    '/1.1',
    'a/1.',
    '@a-',
    '; a',
    '(',
    ' ',
    '-',
    '_',
    'news',
    'google',
    'bot',
    'bots_',
    'search',
    'http',
    'a:',
    '%',
    'é',
    '\t',
    'mozilla/5.0 (',
    'compatible; a-a-',
    'x/1.0',
  ])('that repeats %j as often as a line can hold is answered too', (piece) => {
    const hostile = piece.repeat(60_000 / Buffer.byteLength(piece));
    const starts = ['', 'a/1', 'x/', 'mozilla/5.0 (', 'mozilla/5.0 a', '@a', '; '];
    const isBot = createBotTest();
    const answers = starts
      .flatMap((start) => [`${start}${hostile}`, `${start}${hostile}!`])
      .map((ua) => isBot(lineOf(ua)));
    expect(answers).toHaveLength(starts.length * 2);
  });
});
