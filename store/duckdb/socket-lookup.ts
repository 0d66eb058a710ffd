import { request } from 'node:http';
import * as z from 'zod';
import type { HotItemEvent } from '../../event/event.ts';
import { codeOf } from '../../service/error-code.ts';
import { toJson } from '../../service/json-text.ts';
import { IndexUnavailable, type Outcome } from '../event-index.ts';
import type { EventLookup } from '../event-lookup.ts';

const TIMEOUT_MS = 30_000;

const counts = z.array(z.number().int().nonnegative());
const outcomes = z.array(
  z.discriminatedUnion('status', [
    z.object({ status: z.enum(['created', 'exists']) }),
    z.object({ status: z.enum(['retry', 'rejected']), reason: z.string() }),
  ]),
);

/** The embedded index of a process that runs, asked on its socket (sidecar/routes/index-routes.ts). */
export function createSocketLookup(socket: string): EventLookup {
  return {
    name: `the index of the sidecar at ${socket}`,
    most: 1000,
    count: async (ids) => (ids.length === 0 ? [] : understood(counts, await post(socket, 'count', ids))),
    create: async (events) => (events.length === 0 ? [] : createEvents(socket, events)),
    refresh: async () => true,
    refreshMs: 0,
    close: async () => {},
  };
}

/** A process listens there, but only root and its own user may connect. */
export class SocketForbidden extends Error {
  override name = 'SocketForbidden';
}

/**
 * Whether the process that listens there has an embedded index. False if nothing listens. Throws a `SocketForbidden` where this user
 * may not ask.
 */
export async function hasSocketLookup(socket: string): Promise<boolean> {
  try {
    await post(socket, 'count', []);
    return true;
  } catch (error) {
    if (isForbidden(error))
      throw new SocketForbidden(`no permission to connect to ${socket}`, { cause: error });
    return false;
  }
}

function isForbidden(error: unknown): boolean {
  return error instanceof IndexUnavailable && codeOf(error.cause) === 'EACCES';
}

async function createEvents(socket: string, events: HotItemEvent[]): Promise<Outcome[]> {
  const lines = events.map((event) => JSON.stringify(event));
  return understood(outcomes, await post(socket, 'create', lines)) as Outcome[];
}

/** Throws an `IndexUnavailable` where the answer is none of ours. */
export function understood<T>(schema: z.ZodType<T>, text: string): T {
  const { data } = schema.safeParse(toJson(text));
  if (data === undefined) throw new IndexUnavailable('what listens on this socket is not a sidecar');
  return data;
}

function post(socket: string, what: 'count' | 'create', lines: string[]): Promise<string> {
  return askSocket(socket, what, lines.join('\n'), { timeoutMs: TIMEOUT_MS });
}

type Asking = { timeoutMs: number; signal?: AbortSignal };

/** What the index of a process answers. Throws an `IndexUnavailable`. */
export async function askSocket(
  socket: string,
  what: 'count' | 'create' | 'ask',
  body: string,
  asking: Asking,
): Promise<string> {
  const { status, text } = await exchange(socket, `/v1/index/${what}`, body, asking);
  if (status === 200) return text;
  if (status !== 404) throw new IndexUnavailable(`the sidecar answers ${status}`);
  throw new IndexUnavailable(
    // Questions are newer than the other two.
    what === 'ask'
      ? 'the sidecar is of an earlier version: restart it'
      : 'the process on this socket has no embedded index',
  );
}

function exchange(
  socketPath: string,
  path: string,
  body: string,
  { timeoutMs: timeout, ...asking }: Asking,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => reject(new IndexUnavailable('the sidecar does not answer', { cause }));
    // A kept connection is closed after five seconds, perhaps just when it is used.
    const options = { socketPath, path, method: 'POST', timeout, agent: false, ...asking };
    const asked = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.on('error', fail);
    asked.end(body);
  });
}
