import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP } from 'node:net';
import { linkSignals } from '../service/linked-signal.ts';
import { reasonOf } from '../service/log.ts';
import { createLookup, whyRefused } from './refused-address.ts';
import { readSecrets } from './secrets.ts';
import { signed } from './signature.ts';
import type { Message, Webhook } from './webhook.ts';

const TIMEOUT_MS = 10_000;
/** Of an answer: more is not read. */
const MOST_BYTES = 64 * 1024;
/** The receiver has understood the message and does not want it: it will not want it later either. */
const FOR_GOOD = new Set([400, 410, 413, 415, 422]);

/** Why a message was not accepted. Its text has no part of the answer, and no address with a path. */
export class NotAccepted extends Error {
  override name = 'NotAccepted';
  /** Another attempt would end the same. */
  readonly isForGood: boolean;

  constructor(message: string, isForGood = false) {
    super(message);
    this.isForGood = isForGood;
  }
}

/**
 * Posts a message once, signed as of `now`, over a connection of its own. Resolves with the status if it is 2xx; rejects with a `NotAccepted` otherwise.
 * Follows no redirect.
 */
export async function post(
  { url, secretFile, uid }: Webhook,
  message: Message,
  now: number,
  stopping?: AbortSignal,
): Promise<number> {
  const target = new URL(url);
  const isLocal = target.protocol === 'http:';
  const host = target.hostname.replace(/^\[|\]$/g, '');
  // An address is not resolved.
  const refused = isIP(host) === 0 ? undefined : whyRefused(host, isLocal);
  if (refused !== undefined) throw new NotAccepted(refused);
  const signature = signed(message, keysIn(secretFile, uid), now);
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const link = linkSignals(timeout, ...(stopping === undefined ? [] : [stopping]));
  const status = await ask(
    target,
    message.body,
    {
      method: 'POST',
      agent: false,
      lookup: createLookup(isLocal),
      signal: link.signal,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(message.body),
        'user-agent': 'hotitem',
        ...signature,
      },
    },
    link.unlink,
  ).catch((error: unknown) => {
    throw new NotAccepted(timeout.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : reasonOf(error));
  });
  if (status >= 200 && status < 300) return status;
  const isRedirect = status >= 300 && status < 400;
  throw new NotAccepted(
    isRedirect ? `answers ${status}, and redirects are not followed` : `answers ${status}`,
    FOR_GOOD.has(status),
  );
}

function keysIn(path: string, uid: number = process.getuid?.() ?? 0): Buffer[] {
  try {
    return readSecrets(path, uid);
  } catch (error) {
    throw new NotAccepted(`its secret_file: ${reasonOf(error)}`);
  }
}

/**
 * Resolves with the status when the head of the answer has come. Its body says nothing more: it is read for as long as `options.signal` allows, because some
 * receivers stop when nobody reads. `onClosed` is called at the end of the connection.
 */
function ask(target: URL, body: string, options: RequestOptions, onClosed: () => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = (target.protocol === 'http:' ? request : requestTls)(target, options, (response) => {
      ignore(response);
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', reject);
    asked.on('close', onClosed);
    asked.end(body);
  });
}

function ignore(response: IncomingMessage): void {
  let length = 0;
  response.on('error', () => {});
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MOST_BYTES) response.destroy();
  });
}
