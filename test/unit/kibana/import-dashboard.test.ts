import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { importDashboard } from '../../../cli/import-dashboard.ts';
import { createDashboard, DASHBOARD_ID, toNdjson } from '../../../kibana/dashboard.ts';
import { type Config, loadConfig } from '../../../service/config.ts';

type Received = { method?: string | undefined; url?: string | undefined; headers: Headers; body: Buffer };
type Answer = { status: number; body?: unknown; headers?: Record<string, string> };

const IMPORTED = {
  success: true,
  successCount: 6,
  successResults: [{ type: 'dashboard', id: DASHBOARD_ID }],
};
const LOGIN = { HOTITEM_ELASTICSEARCH_USERNAME: 'shop', HOTITEM_ELASTICSEARCH_PASSWORD: 'se:cret' };

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

describe('importing the dashboard', () => {
  test('posts every object as one NDJSON file, to replace what is there', async () => {
    const { url, received } = await listen({ status: 200, body: IMPORTED });
    await importDashboard(url, config(), false);
    const [request] = received;
    expect(request).toMatchObject({ method: 'POST', url: '/api/saved_objects/_import?overwrite=true' });
    expect(request?.headers.get('kbn-xsrf')).toBeTruthy();
    expect(request?.headers.has('authorization')).toBe(false);
    const file = await fileOf(request);
    expect(file.name).toMatch(/\.ndjson$/);
    expect(await file.text()).toBe(toNdjson(createDashboard()));
  });

  test('shows the configured data stream', async () => {
    const { url, received } = await listen({ status: 200, body: IMPORTED });
    await importDashboard(url, config({ HOTITEM_ELASTICSEARCH_DATA_STREAM: 'views' }), false);
    const file = await fileOf(received[0]);
    expect(await file.text()).toBe(toNdjson(createDashboard({ dataView: 'views*' })));
  });

  test.each([
    ['an API key', { HOTITEM_ELASTICSEARCH_API_KEY: 'a2V5' }, 'ApiKey a2V5'],
    ['a user', LOGIN, `Basic ${Buffer.from('shop:se:cret').toString('base64')}`],
  ])('logs in with %s', async (_, env, authorization) => {
    const { url, received } = await listen({ status: 200, body: IMPORTED });
    await importDashboard(url, config(env), false);
    expect(received[0]?.headers.get('authorization')).toBe(authorization);
  });

  test.each(['/kibana', '/kibana/', '/kibana/s/shop'])('keeps the base path %s', async (path) => {
    const { url, received } = await listen({ status: 200, body: IMPORTED });
    await importDashboard(`${url}${path}`, config(), false);
    expect(received[0]?.url).toBe(`${path.replace(/\/$/, '')}/api/saved_objects/_import?overwrite=true`);
  });

  test.each([
    ['create', {}],
    ['update', { overwrite: true }],
  ])('says %s after Kibana did', async (action, marks) => {
    const successResults = [{ type: 'dashboard', id: DASHBOARD_ID, ...marks }];
    const { url } = await listen({ status: 200, body: { ...IMPORTED, successResults } });
    const change = await importDashboard(url, config(), false);
    expect(change).toEqual({ what: `dashboard "Hot items" in Kibana ${url}`, action });
  });

  test.each([
    ['create', { status: 400, body: { message: 'Error fetching objects to export' } }],
    ['update', { status: 200 }],
  ])('says %s in a dry run, without importing', async (action, answer) => {
    const { url, received } = await listen(answer);
    expect(await importDashboard(url, config(), true)).toMatchObject({ action });
    expect(received.map((request) => request.url)).toEqual(['/api/saved_objects/_export']);
    const asked = { objects: [{ type: 'dashboard', id: DASHBOARD_ID }] };
    expect(JSON.parse(String(received[0]?.body))).toEqual(asked);
  });
});

describe('an import that fails', () => {
  test('names each object that Kibana did not take', async () => {
    const errors = [
      { type: 'lens', id: 'hotitem-visitors', error: { type: 'missing_references', references: [] } },
      { type: 'dashboard', id: 'hotitem-\u001b[31mdashboard', error: { type: 'unknown' } },
    ];
    const { url } = await listen({ status: 200, body: { success: false, successCount: 4, errors } });
    const failure = importDashboard(url, config(), false);
    await expect(failure).rejects.toThrow('lens hotitem-visitors: missing_references');
    await expect(failure).rejects.not.toThrow('\u001b');
  });

  test.each([
    [401, /asks for a login/, /api_key/],
    [403, /does not let/, /privilege/],
    [404, /no Kibana at/, /base path/],
    [302, /no Kibana at/, /base path/],
    [503, /not ready/, /again/],
    [413, /refuses the dashboard \(413\): .*too large/, undefined],
  ])('is explained for the status %i', async (status, message, hint) => {
    const headers = { location: 'http://127.0.0.1:1/' };
    const { url } = await listen({ status, headers, body: { message: 'too large' } });
    const failure = await importDashboard(url, config(), false).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringMatching(message) });
    if (hint !== undefined) expect(failure).toMatchObject({ hint: expect.stringMatching(hint) });
  });

  test('never shows the login', async () => {
    const { url } = await listen({ status: 401 });
    const failure = importDashboard(url, config(LOGIN), false);
    await expect(failure).rejects.toThrow(/refuses the login/);
    await expect(failure).rejects.not.toThrow(/cret/);
  });

  test('is explained where something else answers', async () => {
    const { url } = await listen({ status: 200, body: 'It works!' });
    await expect(importDashboard(url, config(), false)).rejects.toThrow(/not Kibana/);
  });

  test('is explained where nobody answers', async () => {
    const { url } = await listen({ status: 200 });
    server?.close();
    await expect(importDashboard(url, config(), false)).rejects.toThrow(/cannot be reached \(ECONNREFUSED\)/);
  });

  test.each([
    ['no address', 'kibana', /http or https/],
    ['another protocol', 'ftp://kibana/', /http or https/],
    ['a login', 'http://shop:secret@kibana:5601', /must not hold a login/],
    ['a query', 'http://kibana:5601/?space=shop', /end with its path/],
  ])('sends nothing to %s, and does not repeat it', async (_, url, message) => {
    const failure = importDashboard(url, config(), false);
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.not.toThrow(/secret/);
  });
});

function config(env: Record<string, string> = {}): Config {
  return loadConfig({ env, flags: {} });
}

async function listen({
  status,
  body = {},
  headers,
}: Answer): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const started = createServer(async (request, response) => {
    received.push(await receive(request));
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
