import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { importDashboard } from '../../../kibana/import-dashboard.ts';
import { createObjects, MERCHANDISING_ID, streamsOf, toNdjson } from '../../../kibana/objects.ts';
import type { SavedObject } from '../../../kibana/saved-object.ts';
import { type Config, loadConfig } from '../../../service/config/config.ts';

type Received = { method?: string | undefined; url?: string | undefined; headers: Headers; body: Buffer };
type Answer = { status: number; body?: unknown; headers?: Record<string, string> };

/** Nobody was asked. */
const REAL = { dryRun: false };
const MISSING = {
  statusCode: 400,
  error: 'Bad Request',
  message: 'Error fetching objects to export',
};
const LOGIN = { HOTITEM_ELASTICSEARCH_USERNAME: 'shop', HOTITEM_ELASTICSEARCH_PASSWORD: 'se:cret' };

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

describe('importing the dashboard', () => {
  test('posts all objects as one NDJSON file, and replaces none', async () => {
    const { url, received } = await kibana();
    expect(await importDashboard(url, config(), REAL)).toEqual({
      what: `dashboards in Kibana ${url}`,
      action: 'create',
    });
    const [request] = imports(received);
    expect(request).toMatchObject({ method: 'POST', url: '/api/saved_objects/_import?overwrite=false' });
    for (const { headers } of received) {
      expect(headers.get('kbn-xsrf')).toBeTruthy();
      expect(headers.has('authorization')).toBe(false);
    }
    const file = await fileOf(request);
    expect(file.name).toMatch(/\.ndjson$/);
    expect(await file.text()).toBe(toNdjson(createObjects(streamsOf('hot_item'))));
  });

  test('shows the configured data stream', async () => {
    const { url, received } = await kibana();
    await importDashboard(url, config({ HOTITEM_ELASTICSEARCH_DATA_STREAM: 'views' }), REAL);
    const file = await fileOf(imports(received)[0]);
    expect(await file.text()).toBe(toNdjson(createObjects(streamsOf('views'))));
  });

  test.each([
    ['an API key', { HOTITEM_ELASTICSEARCH_API_KEY: 'a2V5' }, 'ApiKey a2V5'],
    ['a user', LOGIN, `Basic ${Buffer.from('shop:se:cret').toString('base64')}`],
  ])('logs in with %s', async (_, env, authorization) => {
    const { url, received } = await kibana();
    await importDashboard(url, config(env), REAL);
    expect(new Set(received.map(({ headers }) => headers.get('authorization')))).toEqual(
      new Set([authorization]),
    );
  });

  test.each(['/kibana', '/kibana/', '/kibana/s/shop'])('keeps the base path %s', async (path) => {
    const { url, received } = await kibana();
    await importDashboard(`${url}${path}`, config(), REAL);
    const base = path.replace(/\/$/, '');
    expect(new Set(received.map((request) => request.url))).toEqual(
      new Set([`${base}/api/saved_objects/_export`, `${base}/api/saved_objects/_import?overwrite=false`]),
    );
  });

  test('changes nothing the second time, though Kibana adds values of its own', async () => {
    const { url, received, stored } = await kibana();
    await importDashboard(url, config(), REAL);
    for (const object of stored.values()) Object.assign(object.attributes, { hits: 0 });
    const view = stored.get('hotitem-data-view')?.attributes ?? {};
    // Discover counts there how often a field is looked at.
    view.fieldAttrs = '{"hot_item.id":{"count":3}}';
    expect(await importDashboard(url, config(), REAL)).toMatchObject({ action: 'unchanged' });
    expect(imports(received)).toHaveLength(1);
  });

  test('keeps what somebody changed in Kibana, and says so', async () => {
    const { url, received, stored } = await kibana();
    await importDashboard(url, config(), REAL);
    const theirs = changed(stored);
    const change = {
      what: `dashboards in Kibana ${url}`,
      loses: expect.stringContaining(
        `changed in Kibana, or come from another version: dashboard ${MERCHANDISING_ID}`,
      ),
    };
    expect(await importDashboard(url, config(), { dryRun: true })).toEqual({ ...change, action: 'update' });
    expect(await importDashboard(url, config(), REAL)).toEqual({ ...change, action: 'kept' });
    expect(stored.get(MERCHANDISING_ID)?.attributes.title).toBe(theirs);
    expect(imports(received)).toHaveLength(1);
  });

  test('replaces that, and only that, if allowed', async () => {
    const { url, received, stored } = await kibana();
    await importDashboard(url, config(), REAL);
    changed(stored);
    expect(await importDashboard(url, config(), { dryRun: false, mayLose: true })).toMatchObject({
      action: 'update',
    });
    expect(stored.get(MERCHANDISING_ID)?.attributes.title).toBe('hotitem: Merchandising');
    const [, request] = imports(received);
    expect(request?.url).toBe('/api/saved_objects/_import?overwrite=true');
    const replaced = (await (await fileOf(request)).text()).trim().split('\n');
    expect(replaced.map((line) => (JSON.parse(line) as SavedObject).id)).toEqual([MERCHANDISING_ID]);
  });

  test('creates deleted objects again', async () => {
    const { url, stored } = await kibana();
    await importDashboard(url, config(), REAL);
    stored.delete('hotitem-data-view');
    expect(await importDashboard(url, config(), REAL)).toMatchObject({ action: 'update' });
    expect(stored.has('hotitem-data-view')).toBe(true);
  });

  test('imports nothing in a dry run', async () => {
    const { url, received } = await kibana();
    expect(await importDashboard(url, config(), { dryRun: true })).toMatchObject({ action: 'create' });
    expect(imports(received)).toEqual([]);
  });
});

describe('an import that fails', () => {
  test('names each object that Kibana rejected', async () => {
    const errors = [
      { type: 'lens', id: 'hotitem-visitors', error: { type: 'missing_references', references: [] } },
      { type: 'dashboard', id: 'hotitem-\u001b[31mdashboard', error: { type: 'unknown' } },
    ];
    const { url } = await listen(({ url: asked }) =>
      asked?.includes('_import')
        ? { status: 200, body: { success: false, successCount: 4, errors } }
        : { status: 400, body: MISSING },
    );
    const failure = importDashboard(url, config(), REAL);
    await expect(failure).rejects.toThrow('lens hotitem-visitors: missing_references');
    await expect(failure).rejects.not.toThrow('\u001b');
  });

  test.each([
    [401, /requires a login/, /api_key/],
    [403, /does not allow/, /privilege/],
    [404, /no Kibana at/, /base path/],
    [302, /no Kibana at/, /base path/],
    [503, /not ready/, /again/],
    [413, /rejects the dashboard \(413\): .*too large/, undefined],
    // A proxy says that, and Kibana of an object that is not there says why.
    [400, /rejects the dashboard \(400\)/, undefined],
  ])('is explained for the status %i', async (status, message, hint) => {
    const headers = { location: 'http://127.0.0.1:1/' };
    const { url } = await listen(() => ({ status, headers, body: { message: 'too large' } }));
    const failure = await importDashboard(url, config(), REAL).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringMatching(message) });
    if (hint !== undefined) expect(failure).toMatchObject({ hint: expect.stringMatching(hint) });
  });

  test('never shows the login', async () => {
    const { url } = await listen(() => ({ status: 401 }));
    const failure = importDashboard(url, config(LOGIN), REAL);
    await expect(failure).rejects.toThrow(/rejects the login/);
    await expect(failure).rejects.not.toThrow(/cret/);
  });

  test('is explained if another server answers', async () => {
    const { url } = await listen(() => ({ status: 200, body: 'It works!' }));
    await expect(importDashboard(url, config(), REAL)).rejects.toThrow(/not Kibana/);
  });

  test('is explained if nothing answers', async () => {
    const { url } = await listen(() => ({ status: 200 }));
    server?.close();
    await expect(importDashboard(url, config(), REAL)).rejects.toThrow(/cannot be reached \(ECONNREFUSED\)/);
  });

  test.each([
    ['no address', 'kibana', /http or https/],
    ['another protocol', 'ftp://kibana/', /http or https/],
    ['a login', 'http://shop:secret@kibana:5601', /must not contain a login/],
    ['a query', 'http://kibana:5601/?space=shop', /end with its path/],
  ])('sends nothing to %s, and does not print it', async (_, url, message) => {
    const failure = importDashboard(url, config(), REAL);
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.not.toThrow(/secret/);
  });
});

function config(env: Record<string, string> = {}): Config {
  return loadConfig({ env, flags: {} });
}

/** What of Kibana's saved objects is used, as its documentation says. */
async function kibana() {
  const stored = new Map<string, SavedObject>();
  const { url, received } = await listen(async (request) => {
    if (request.url?.endsWith('_export') === true) return exported(request);
    const overwrite = request.url?.endsWith('overwrite=true') === true;
    const lines = (await (await fileOf(request)).text()).trim().split('\n');
    const objects = lines.map((line) => JSON.parse(line) as SavedObject);
    const errors = objects
      .filter(({ id }) => stored.has(id) && !overwrite)
      .map(({ type, id }) => ({ type, id, error: { type: 'conflict' } }));
    for (const object of objects) if (overwrite || !stored.has(object.id)) stored.set(object.id, object);
    return { status: 200, body: { success: errors.length === 0, errors } };
  });
  return { url, received, stored };

  function exported({ body }: Received): Answer {
    const { objects } = JSON.parse(String(body)) as { objects: { id: string }[] };
    const object = stored.get(objects[0]?.id ?? '');
    return object === undefined
      ? { status: 400, body: MISSING }
      : {
          status: 200,
          body: JSON.stringify({ ...object, updated_at: '2026-11-26T00:00:00Z', version: 'WzEsMV0=' }),
        };
  }
}

function imports(received: Received[]): Received[] {
  return received.filter(({ url }) => url?.includes('_import'));
}

/** A merchandiser's own title. */
function changed(stored: Map<string, SavedObject>): string {
  const title = 'Our bestsellers';
  Object.assign(stored.get(MERCHANDISING_ID)?.attributes ?? {}, { title });
  return title;
}

async function listen(
  answer: (request: Received) => Answer | Promise<Answer>,
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const started = createServer({ keepAliveTimeout: 75_000 }, async (request, response) => {
    const asked = await receive(request);
    received.push(asked);
    const { status, body = {}, headers } = await answer(asked);
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(started.address() as AddressInfo).port}`, received };
}

async function receive(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  return { method: request.method, url: request.url, headers, body: Buffer.concat(chunks) };
}

/** The file of a multipart body, read by a parser that is not ours. */
async function fileOf(request: Received | undefined): Promise<File> {
  const type = request?.headers.get('content-type') ?? '';
  const form = await new Response(request?.body, { headers: { 'content-type': type } }).formData();
  const file = form.get('file');
  if (!(file instanceof File)) throw new Error('there is no file in the request');
  return file;
}
