import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { HotItemEvent } from '../../event/event.ts';
import { FIELDS } from '../../event/fields.ts';
import { FULL } from '../parts/full.ts';
import { suiteWith } from '../parts/suite.ts';
import { type Site, startSite } from './nginx-requests-site.ts';
import { nameOf, triesAll, WAYS } from './nginx-requests-ways.ts';
import { type Answer, exchange, readAnswer } from './nginx-requests-wire.ts';
import { PATIENT } from './nginx-shop.ts';
import { anyRest, ODD_TARGETS, ODD_URIS, REFUSED_TARGETS } from './nginx-uris-cases.ts';

const START_MS = 300_000;
/** How many URIs of the table a way tries that does not try all. */
const FEW = 12;
/** And how many that nginx refuses, before any location. */
const FEW_REFUSED = 7;
const PROPERTY_MS = FULL ? 240_000 : 20_000;

/** Rewritten and in place, from an origin and from a folder. */
const PREFIXES = ['/web/shelf/', '/item/', '/web/page/', '/file/'];

/** One request, what became of it with capture and without, and what nginx itself says of its URI. */
type Outcome = {
  target: string;
  plain: Answer;
  captured: Answer;
  /** What reached the origin. */
  plainAsked: string[];
  capturedAsked: string[];
  /** Undefined where nginx refused it. */
  nginx: { uri: string; args: string } | undefined;
  events: unknown[];
};

for (const way of WAYS) {
  suiteWith(['nginx'])(`URIs by ${nameOf(way)}`, () => {
    const rests = triesAll(way) ? ODD_URIS : ODD_URIS.slice(0, FEW);
    const refused = triesAll(way) ? REFUSED_TARGETS : REFUSED_TARGETS.slice(0, FEW_REFUSED);
    const odd = ODD_TARGETS.filter((_, i) => triesAll(way) || i % 2 === 0);
    let site: Site;
    let outcomes: Map<string, Outcome>;
    beforeAll(async () => {
      site = await startSite(way, PATIENT);
      const below = PREFIXES.flatMap((prefix) => rests.map((rest) => prefix + rest));
      outcomes = await askEach(site, [...below, ...odd, ...refused]);
    }, START_MS);
    afterAll(() => site?.close());

    describe.each(rests.map((rest) => [brief(rest), rest]))('below each prefix: %s', (_, rest) => {
      test('is served byte for byte as without capture, and captured once, as requested', () => {
        for (const prefix of PREFIXES) {
          const outcome = outcomeOf(prefix + rest);
          expect(changed(outcome)).toBeUndefined();
          expect(outcome.events).toEqual([expectedEvent(outcome)]);
        }
      });
    });

    test.each(odd)('%s is served byte for byte as without capture, and captured once', (target) => {
      const outcome = outcomeOf(target);

      expect(changed(outcome)).toBeUndefined();
      expect(outcome.events).toEqual([expectedEvent(outcome)]);
    });

    test.each(refused)('%j is rejected as without capture, and is not a view', (target) => {
      const outcome = outcomeOf(target);

      expect(changed(outcome)).toBeUndefined();
      expect(outcome.captured.status).toBe(400);
      expect(outcome.events).toEqual([]);
    });

    test(
      'any URI is served byte for byte as without capture, and captured as nginx normalises it',
      async () => {
        const anyTarget = fc
          .tuple(fc.constantFrom('/', ...PREFIXES), anyRest)
          .map((pieces) => pieces.join(''));
        await fc.assert(
          fc.asyncProperty(
            fc.uniqueArray(anyTarget, { minLength: 1, maxLength: triesAll(way) ? 200 : 50, size: 'max' }),
            async (targets) => {
              for (const outcome of (await askEach(site, targets)).values()) {
                expect(changed(outcome)).toBeUndefined();
                expect(outcome.events).toEqual(isView(outcome) ? [expectedEvent(outcome)] : []);
              }
            },
          ),
          { numRuns: FULL ? 100 : 1, interruptAfterTimeLimit: PROPERTY_MS, markInterruptAsFailure: false },
        );
      },
      START_MS,
    );

    test('the error log has no alert', async () => {
      expect(await site.nginx.errorLog()).not.toMatch(/\[(alert|emerg|crit)\]|exception/);
    });

    function outcomeOf(target: string): Outcome {
      const outcome = outcomes.get(target);
      if (outcome === undefined) throw new Error(`${target} was not asked for`);
      return outcome;
    }
  });
}

/** Each target once with and once without capture, under a host of its own by which its events are known. */
async function askEach(site: Site, targets: string[]): Promise<Map<string, Outcome>> {
  await site.forget();
  const outcomes: Outcome[] = [];
  for (const [i, target] of targets.entries()) {
    const request = [
      `GET ${target.replace('@HOST@', hostOf(i))} HTTP/1.1`,
      `Host: ${hostOf(i)}`,
      'X-Bytes: \x01\xff\t;',
      'Connection: close',
      '\r\n',
    ].join('\r\n');
    const plain = readAnswer(await exchange(site.plain, request));
    const plainAsked = site.origin.requests.splice(0);
    const captured = readAnswer(await exchange(site.captured, request));
    const capturedAsked = site.origin.requests.splice(0);
    const nginx = await understanding(site, request);
    outcomes.push({ target, plain, captured, plainAsked, capturedAsked, nginx, events: [] });
  }
  const events = await site.events(outcomes.filter(isView).length);
  return new Map(
    outcomes.map((outcome, i) => [
      outcome.target,
      { ...outcome, events: events.filter(({ host }) => host === hostOf(i)).map(said) },
    ]),
  );
}

/** What each nginx said of a request: the ways of one nginx ask for the same. */
const understandings = new Map<string, Outcome['nginx']>();

async function understanding({ nginx, oracle }: Site, request: string): Promise<Outcome['nginx']> {
  const key = `${nginx.describe} ${request}`;
  if (!understandings.has(key))
    understandings.set(key, understood(readAnswer(await exchange(oracle, request))));
  return understandings.get(key);
}

function hostOf(i: number): string {
  return `view-${i}.invalid`;
}

function understood({ status, body }: Answer): Outcome['nginx'] {
  if (status !== 200) return undefined;
  const text = body.toString('latin1');
  const newline = text.indexOf('\n');
  return { args: text.slice(0, newline), uri: text.slice(newline + 1) };
}

/** What capture changed; undefined where it changed nothing. */
function changed({ target, plain, captured, plainAsked, capturedAsked }: Outcome): unknown {
  const same = plain.text === captured.text && plainAsked.join('\0') === capturedAsked.join('\0');
  return same
    ? undefined
    : { target, plain: [plain.text, plainAsked], captured: [captured.text, capturedAsked] };
}

/**
 * Whether a location that captures sees it. nginx answers `/item` by itself where `location /item/` is proxied: with a
 * redirect to `/item/`, before any location's rewrites.
 */
function isView({ nginx }: Pick<Outcome, 'nginx'>): boolean {
  if (nginx === undefined || showsNoItem(nginx)) return false;
  return !/^\/(?:(?:shelf|page|_hotitem)\/|(?:shelf|item|stream)$)/.test(nginx.uri);
}

/** The item is `-`, by the map in items.conf. */
function showsNoItem({ uri, args }: { uri: string; args: string }): boolean {
  const [, item] = /^(?:\/web)?\/item\/([\w.-]+?)(?:\.html)?$/.exec(uri) ?? [];
  return item === undefined ? /(?:^|&)id=-(?:&|$)/i.test(args) : item === '-';
}

function said({ uri, raw, args, method, ip }: HotItemEvent): unknown {
  return { uri, raw, args, method, ip };
}

function expectedEvent({ target, nginx }: Outcome): unknown {
  const { uri = '', args = '' } = nginx ?? {};
  const path = asciiPath(target);
  return {
    uri: utf8(uri).slice(0, FIELDS.uri.limit),
    raw: path === utf8(uri) ? undefined : path.slice(0, FIELDS.raw.limit),
    args: args === '' ? undefined : utf8(args).slice(0, FIELDS.args.limit),
    method: 'GET',
    ip: '127.0.0.1',
  };
}

/** One character a byte, with what is not printable ASCII percent-encoded, and without scheme, host, query and fragment. */
function asciiPath(target: string): string {
  const path = target.replace(/^[a-zA-Z]+:\/\/[^/?#]*/, '').replace(/[?#].*$/s, '') || '/';
  return path.replace(
    /[^\x21-\x7e]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function brief(rest: string): string {
  return rest.length > 60 ? `${rest.slice(0, 20)}… of ${rest.length} bytes` : JSON.stringify(rest);
}
