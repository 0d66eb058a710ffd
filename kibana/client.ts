import * as z from 'zod';
import type { Config } from '../service/config/config.ts';
import { Trouble } from '../service/trouble.ts';

const TIMEOUT_MS = 30_000;
const LONGEST_REPLY = 1_000_000;

// The message of fetch is always `fetch failed`; its cause has the reason.
const fetchFailure = z.object({
  name: z.string(),
  cause: z.object({ code: z.string().optional(), message: z.string() }).optional().catch(undefined),
});

export type Kibana = {
  /** The URL, without a slash at its end. */
  base: string;
  authorization: string | undefined;
};

/** A client of the Kibana at a URL, with the login of Elasticsearch. Sends nothing yet. Throws a `Trouble` if the URL is invalid. */
export function connectKibana(address: string, config: Config): Kibana {
  return { base: baseOf(address), authorization: authorizationOf(config) };
}

export type Reply = { ok: boolean; status: number; text: string };

/** Throws a `Trouble` if nothing answers. */
export async function post(
  { base, authorization }: Kibana,
  path: string,
  request: RequestInit,
): Promise<Reply> {
  try {
    const reply = await fetch(`${base}${path}`, {
      ...request,
      method: 'POST',
      headers: {
        ...request.headers,
        'kbn-xsrf': 'hotitem',
        ...(authorization !== undefined && { authorization }),
      },
      // No redirects: the login is sent to this address only.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { ok: reply.ok, status: reply.status, text: await readStart(reply) };
  } catch (error) {
    throw unreachable(base, error);
  }
}

/** The response as text, cut off beyond the size of any response that Kibana gives to our requests. */
async function readStart({ body }: Response): Promise<string> {
  if (body === null) return '';
  let text = '';
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.length > LONGEST_REPLY) break;
  }
  return text;
}

function baseOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new Trouble('--kibana: must be an http or https address', 'For example http://127.0.0.1:5601.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new Trouble(
      '--kibana: must not contain a login',
      'elasticsearch.username and elasticsearch.password, or elasticsearch.api_key, are also used for Kibana.',
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new Trouble('--kibana: must end with its path', 'Remove everything from ? or # on.');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function authorizationOf({ elasticsearch }: Config): string | undefined {
  const { api_key, username, password } = elasticsearch;
  if (api_key !== undefined) return `ApiKey ${api_key}`;
  if (username === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Parses a response. Throws a `Trouble` if it has another form: then the server is not Kibana. */
export function read<T>({ base }: Kibana, text: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Trouble(`what answers at ${base} is not Kibana`, 'Does --kibana include its base path?');
  }
}

/** The meaning of an error response, and what to do. */
export function refusal({ base, authorization }: Kibana, { status, text }: Reply): Trouble {
  if (status === 401) {
    const what = authorization === undefined ? 'requires a login' : 'rejects the login';
    const hint = 'Set elasticsearch.api_key, or elasticsearch.username and elasticsearch.password.';
    return new Trouble(`Kibana at ${base} ${what} (401)`, hint);
  }
  if (status === 403) {
    const hint = 'It needs the privilege "Saved Objects Management: all" in its space.';
    return new Trouble(`Kibana at ${base} does not allow this login to import (403)`, hint);
  }
  if (status === 404 || (status >= 300 && status < 400)) {
    return new Trouble(
      `there is no Kibana at ${base} (${status})`,
      'Does --kibana include its base path and its space?',
    );
  }
  if (status === 503)
    return new Trouble(`Kibana at ${base} is not ready yet (503)`, 'Try again in a minute.');
  return new Trouble(`Kibana at ${base} rejects the dashboard (${status}): ${oneLine(text)}`);
}

function unreachable(base: string, error: unknown): Trouble {
  const { name, cause } = fetchFailure.parse(error);
  if (name === 'TimeoutError') {
    return new Trouble(`Kibana at ${base} did not answer within ${TIMEOUT_MS / 1000} s`, 'Is it running?');
  }
  const code = cause?.code ?? cause?.message ?? name;
  const hint = /CERT|ISSUER/.test(code)
    ? 'Set NODE_EXTRA_CA_CERTS to the PEM file of its CA.'
    : 'Is it running, and is --kibana correct?';
  return new Trouble(`Kibana at ${base} cannot be reached (${oneLine(code)})`, hint);
}

/** Text from another server, made safe for a terminal. */
export function oneLine(text: string): string {
  return text.replace(/[\p{C}\s]+/gu, ' ').slice(0, 200);
}
