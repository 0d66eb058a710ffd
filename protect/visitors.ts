/** The visitors as which the keeper requests a page: it must be the same for all of them. */
export type Visitor = { name: string; headers: Record<string, string> };

const ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';
const DESKTOP = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

export const ENGLISH_PHONE: Visitor = visitor('an English phone', PHONE, 'en-US,en;q=0.9');
export const GERMAN_DESKTOP: Visitor = visitor('a German desktop', DESKTOP, 'de-DE,de;q=0.9');
export const ENGLISH_DESKTOP: Visitor = visitor('an English desktop', DESKTOP, 'en-US,en;q=0.9');

function visitor(name: string, agent: string, language: string): Visitor {
  return { name, headers: { 'User-Agent': agent, Accept: ACCEPT, 'Accept-Language': language } };
}
