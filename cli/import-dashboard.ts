import { z } from 'zod';
import { createDashboard, DASHBOARD_ID, toNdjson } from '../kibana/dashboard.ts';
import type { Config } from '../service/config.ts';
import type { Change } from '../store/kafka-client.ts';
import { Trouble } from './trouble.ts';

const TIMEOUT_MS = 30_000;
const SHOWN_FAILURES = 10;
const LONGEST_REPLY = 1_000_000;

// Of Kibana's answer only what is used here, see "Import saved objects" in its API documentation.
const outcome = z.object({
  success: z.boolean(),
  successResults: z
    .array(z.object({ type: z.string(), id: z.string(), overwrite: z.boolean().optional() }))
    .default([]),
  errors: z
    .array(z.object({ type: z.string(), id: z.string(), error: z.object({ type: z.string() }) }))
    .default([]),
});

// fetch says `fetch failed` for everything, and in its cause what it was.
const fetchFailure = z.object({
  name: z.string(),
  cause: z.object({ code: z.string().optional(), message: z.string() }).optional().catch(undefined),
});

/**
 * Imports the dashboard into the Kibana at `kibanaUrl`, over an earlier edition of it, with the login of Elasticsearch.
 * The address may have a base path and a space: `https://host/kibana/s/shop`. With `dryRun` it only asks what is there.
 * Throws a `Trouble` that names the way out.
 */
export async function importDashboard(kibanaUrl: string, config: Config, dryRun: boolean): Promise<Change> {
  const kibana: Kibana = { base: baseOf(kibanaUrl), authorization: authorizationOf(config) };
  const action = dryRun ? await ask(kibana) : await send(kibana, config);
  return { what: `dashboard "Hot items" in Kibana ${kibana.base}`, action };
}

type Kibana = {
  /** Without a slash at its end. */
  base: string;
  authorization: string | undefined;
};

async function send(kibana: Kibana, config: Config): Promise<Change['action']> {
  const objects = createDashboard({ dataView: `${config.elasticsearch.data_stream}*` });
  const body = new FormData();
  body.set('file', new Blob([toNdjson(objects)], { type: 'application/ndjson' }), 'hotitem.ndjson');
  const reply = await post(kibana, '/api/saved_objects/_import?overwrite=true', { body });
  if (!reply.ok) throw refusal(kibana, reply);
  const { success, errors, successResults } = read(kibana, reply.text);
  if (!success || errors.length > 0) throw partial(kibana, errors);
  const dashboard = successResults.find(({ id, type }) => type === 'dashboard' && id === DASHBOARD_ID);
  return dashboard?.overwrite === true ? 'update' : 'create';
}

/** Exporting reads only, and answers 400 for an object that is not there. */
async function ask(kibana: Kibana): Promise<Change['action']> {
  const reply = await post(kibana, '/api/saved_objects/_export', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ objects: [{ type: 'dashboard', id: DASHBOARD_ID }] }),
  });
  if (reply.status === 400) return 'create';
  if (!reply.ok) throw refusal(kibana, reply);
  return 'update';
}

type Reply = { ok: boolean; status: number; text: string };

async function post({ base, authorization }: Kibana, path: string, request: RequestInit): Promise<Reply> {
  try {
    const reply = await fetch(`${base}${path}`, {
      ...request,
      method: 'POST',
      headers: {
        ...request.headers,
        'kbn-xsrf': 'hotitem',
        ...(authorization !== undefined && { authorization }),
      },
      // The login goes to the address that was given, and nowhere else.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { ok: reply.ok, status: reply.status, text: await readStart(reply) };
  } catch (error) {
    throw unreachable(base, error);
  }
}

/** The reply as text, without what goes beyond any reply of Kibana's to a request of ours. */
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
      '--kibana: must not hold a login',
      'elasticsearch.username and elasticsearch.password, or elasticsearch.api_key, are used for Kibana as well.',
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new Trouble('--kibana: must end with its path', 'Leave out what follows ? or #.');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function authorizationOf({ elasticsearch }: Config): string | undefined {
  const { api_key, username, password } = elasticsearch;
  if (api_key !== undefined) return `ApiKey ${api_key}`;
  if (username === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function read({ base }: Kibana, text: string): z.output<typeof outcome> {
  try {
    return outcome.parse(JSON.parse(text));
  } catch {
    throw new Trouble(`what answers at ${base} is not Kibana`, 'Does --kibana name its base path?');
  }
}

function refusal({ base, authorization }: Kibana, { status, text }: Reply): Trouble {
  if (status === 401) {
    const what = authorization === undefined ? 'asks for a login' : 'refuses the login';
    const hint = 'Set elasticsearch.api_key, or elasticsearch.username and elasticsearch.password.';
    return new Trouble(`Kibana at ${base} ${what} (401)`, hint);
  }
  if (status === 403) {
    const hint = 'It needs the privilege "Saved Objects Management: all" in its space.';
    return new Trouble(`Kibana at ${base} does not let this login import (403)`, hint);
  }
  if (status === 404 || (status >= 300 && status < 400)) {
    return new Trouble(
      `there is no Kibana at ${base} (${status})`,
      'Does --kibana name its base path and its space?',
    );
  }
  if (status === 503)
    return new Trouble(`Kibana at ${base} is not ready yet (503)`, 'Try again in a minute.');
  return new Trouble(`Kibana at ${base} refuses the dashboard (${status}): ${oneLine(text)}`);
}

function partial({ base }: Kibana, errors: z.output<typeof outcome>['errors']): Trouble {
  const names = errors
    .slice(0, SHOWN_FAILURES)
    .map(({ type, id, error }) => oneLine(`${type} ${id}: ${error.type}`));
  return new Trouble(
    `Kibana at ${base} did not take all of the dashboard:\n  ${names.join('\n  ')}`,
    'Kibana 8.9 or newer is needed; its own log says more.',
  );
}

function unreachable(base: string, error: unknown): Trouble {
  const { name, cause } = fetchFailure.parse(error);
  if (name === 'TimeoutError') {
    return new Trouble(`Kibana at ${base} did not answer within ${TIMEOUT_MS / 1000} s`, 'Is it up?');
  }
  const code = cause?.code ?? cause?.message ?? name;
  const hint = /CERT|ISSUER/.test(code)
    ? 'Node trusts the authority in the PEM file that NODE_EXTRA_CA_CERTS names.'
    : 'Is it up, and is --kibana right?';
  return new Trouble(`Kibana at ${base} cannot be reached (${oneLine(code)})`, hint);
}

/** What somebody else's server says, fit for a terminal. */
function oneLine(text: string): string {
  return text.replace(/[\p{C}\s]+/gu, ' ').slice(0, 200);
}
