import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { type Control, toCaptureMode } from './control.ts';
import type { NginxBooks } from './nginx-books.ts';
import { toNginxReport } from './nginx-report.ts';

/** How long nginx applies the mode without hearing of it again. */
const LEASE_MS = 10_000;
/** nginx waits less than one second. A sidecar that stops waits as long as the last of its askers. */
const LONGEST_WAIT_MS = 5_000;
const MOST_BYTES = 1_000;

const natural = z.coerce.number().int().min(0).catch(0);

export type ControlRouteOptions = {
  control: Control;
  books: NginxBooks;
  warn: (key: string, message: string, fields?: object) => void;
};

export type ControlRoute = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * `GET /v1/control?version=V&wait=MS&…`: the capture mode, at once when its version is not V, else when it changes; 204
 * when it does not within the wait. The rest of nginx's query is its report. `POST /v1/control` sets the mode.
 */
export function createControlRoute({ control, books, warn }: ControlRouteOptions): ControlRoute {
  /** The last poll of each nginx, until it is answered. */
  const waiting = new Map<string, AbortController>();
  return (request, response) => {
    if (request.method === 'POST') {
      void change(request, response);
      return;
    }
    if (request.method !== 'GET') return send(response, 405, { error: 'only GET and POST' });
    request.resume();
    void tell(new URL(request.url ?? '', 'http://hotitem').searchParams, response);
  };

  async function tell(query: URLSearchParams, response: ServerResponse): Promise<void> {
    const report = toNginxReport(query);
    if (report !== undefined && 'problem' in report) {
      warn('nginx report', 'a report of nginx is left out of the accounting', { reason: report.problem });
    } else if (report !== undefined) {
      books.report(report);
    }
    const wait = query.get('wait');
    if (wait === null) return send(response, 200, { ...control.state(), lease_ms: LEASE_MS });
    const version = natural.parse(query.get('version'));
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    replacePoll(query.get('instance'), gone);
    const timer = setTimeout(() => gone.abort(), Math.min(natural.parse(wait), LONGEST_WAIT_MS));
    await control.changed(version, gone.signal);
    clearTimeout(timer);
    const state = control.state();
    if (state.version === version) return send(response, 204);
    send(response, 200, { ...state, lease_ms: LEASE_MS });
  }

  /** An nginx that asks again waits no longer for the answer before: its worker exits, and would not until then. */
  function replacePoll(instance: string | null, poll: AbortController): void {
    if (instance === null) return;
    waiting.get(instance)?.abort();
    waiting.set(instance, poll);
    poll.signal.addEventListener('abort', () => {
      if (waiting.get(instance) === poll) waiting.delete(instance);
    });
  }

  async function change(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const mode = toCaptureMode(await bodyOf(request));
      if (mode === undefined) {
        return send(response, 400, { error: 'mode: must be on, off, or sample with n from 2 to 10000' });
      }
      send(response, 200, await control.set(mode));
    } catch {
      send(response, 500, { error: 'the mode could not be stored' });
    }
  }
}

/** The JSON in a request; undefined where there is none, or more than anybody needs. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) {
    if (text.length < MOST_BYTES) text += chunk;
  }
  try {
    return text.length < MOST_BYTES ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, value?: unknown): void {
  const body = value === undefined ? '' : `${JSON.stringify(value)}\n`;
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, status === 204 ? {} : headers);
  response.end(body);
}
