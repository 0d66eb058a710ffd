import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import type { Change, ChangeOptions } from '../service/change.ts';
import type { Config } from '../service/config/config.ts';
import { Trouble } from '../service/trouble.ts';
import { connectKibana, type Kibana, oneLine, post, read, refusal } from './client.ts';
import { createObjects, streamsOf, toNdjson } from './objects.ts';
import type { SavedObject } from './saved-object.ts';

const SHOWN_FAILURES = 10;

// The part of Kibana's response that is used here, see "Import saved objects" in its API documentation.
const outcome = z.object({
  success: z.boolean(),
  errors: z
    .array(z.object({ type: z.string(), id: z.string(), error: z.object({ type: z.string() }) }))
    .default([]),
});

const exported = z.object({ attributes: z.record(z.string(), z.unknown()) });

/**
 * Imports dashboards and all that they need into the Kibana at `kibanaUrl` with the login of Elasticsearch. Existing objects that differ were changed in
 * Kibana, or come from another version of hotitem: they are replaced only with `mayLose`. The URL may have a base path and a space:
 * `https://host/kibana/s/shop`. Throws a `Trouble` that says what to do.
 */
export async function importDashboard(
  kibanaUrl: string,
  config: Config,
  { dryRun, mayLose = false }: ChangeOptions,
): Promise<Change> {
  const kibana = connectKibana(kibanaUrl, config);
  const what = `dashboards in Kibana ${kibana.base}`;
  const objects = createObjects(streamsOf(config.elasticsearch.data_stream));
  const found = await Promise.all(objects.map((object) => find(kibana, object)));
  const missing = objects.filter((_, i) => found[i] === undefined);
  const others = objects.filter((object, i) => found[i] !== undefined && !holds(found[i], object.attributes));
  const change = { what, ...(others.length > 0 && { loses: lossOf(others) }) };
  if (missing.length === objects.length) {
    if (!dryRun) await send(kibana, missing, false);
    return { ...change, action: 'create' };
  }
  if (missing.length + others.length === 0) return { ...change, action: 'unchanged' };
  if (others.length > 0 && !mayLose && !dryRun) {
    if (missing.length > 0) await send(kibana, missing, false);
    return { ...change, action: 'kept' };
  }
  if (!dryRun) await send(kibana, [...missing, ...others], others.length > 0);
  return { ...change, action: 'update' };
}

function lossOf(others: SavedObject[]): string {
  return `objects that were changed in Kibana, or come from another version: ${others.map(({ type, id }) => `${type} ${id}`).join(', ')}`;
}

/** Imports in order, each object after those that it refers to. Without `overwrite`, Kibana rejects objects that exist by then. */
async function send(kibana: Kibana, objects: SavedObject[], overwrite: boolean): Promise<void> {
  const body = new FormData();
  body.set('file', new Blob([toNdjson(objects)], { type: 'application/ndjson' }), 'hotitem.ndjson');
  const reply = await post(kibana, `/api/saved_objects/_import?overwrite=${overwrite}`, { body });
  if (!reply.ok) throw refusal(kibana, reply);
  const { success, errors } = read(kibana, reply.text, outcome);
  if (!success || errors.length > 0) throw partial(kibana, errors);
}

/** The attributes of an object in Kibana. Export only reads, and answers 400 for a missing object. */
async function find(kibana: Kibana, { type, id }: SavedObject): Promise<Record<string, unknown> | undefined> {
  const reply = await post(kibana, '/api/saved_objects/_export', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ objects: [{ type, id }], excludeExportDetails: true }),
  });
  if (reply.status === 400 && isAboutMissing(reply.text)) return undefined;
  if (!reply.ok) throw refusal(kibana, reply);
  return read(kibana, reply.text.split('\n')[0] ?? '', exported).attributes;
}

/** Whether Kibana's export found nothing; a proxy that rejects the request answers something else. */
function isAboutMissing(text: string): boolean {
  return /fetching objects to export/i.test(text);
}

/** Whether the object in Kibana contains everything that would be imported. Kibana adds defaults, and stores some values as JSON. */
function holds(found: unknown, wanted: unknown): boolean {
  if (typeof wanted === 'string' && typeof found === 'string' && found !== wanted) {
    const [inner, wantedInner] = [fromJson(found), fromJson(wanted)];
    return isObject(wantedInner) ? holds(inner, wantedInner) : isDeepStrictEqual(inner, wantedInner);
  }
  if (!isObject(wanted)) return isDeepStrictEqual(found, wanted);
  return isObject(found) && Object.entries(wanted).every(([key, value]) => holds(found[key], value));
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function partial({ base }: Kibana, errors: z.output<typeof outcome>['errors']): Trouble {
  const names = errors
    .slice(0, SHOWN_FAILURES)
    .map(({ type, id, error }) => oneLine(`${type} ${id}: ${error.type}`));
  return new Trouble(
    `Kibana at ${base} did not import everything:\n  ${names.join('\n  ')}`,
    "It needs Kibana 8.9 or newer; see Kibana's log.",
  );
}
