import { randomBytes } from 'node:crypto';
import {
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { TEST_AGENT } from '../event/test-view.ts';
import type { TestRequest } from '../nginx-setup/check/test-request.ts';
import { reasonOf } from '../service/log.ts';

export type SentView = {
  token: string;
  /** For people: `http://127.0.0.1:80/web/item/hotitem-doctor`. */
  url: string;
  /** The status of the page; with any status, the request counts as sent. */
  status: number | undefined;
  /** Why there was no answer. */
  problem: string | undefined;
};

export const ANSWER_MS = 10_000;

/** Requests a page from nginx with the user agent `hotitem-doctor/TOKEN`, by which the sidecar recognises it. No ranking counts it. */
export async function sendTestView(test: TestRequest): Promise<SentView> {
  const token = randomBytes(16).toString('hex');
  const url = urlOf(test);
  try {
    return { token, url, status: await statusOf(test, token), problem: undefined };
  } catch (error) {
    return { token, url, status: undefined, problem: reasonOf(error) };
  }
}

/** The request for a page that the operator names. Undefined if it is not an http or https URL. */
export function toTestRequest(url: string): TestRequest | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port, pathname, search } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  const tls = protocol === 'https:';
  const host = hostname.replace(/^\[|\]$/g, '');
  const listen = { host, port: port === '' ? (tls ? 443 : 80) : Number(port) };
  return {
    location: url,
    listen,
    tls,
    name: isIP(host) === 0 ? host : undefined,
    path: `${pathname}${search}`,
  };
}

function statusOf({ listen, tls, name, path }: TestRequest, token: string): Promise<number> {
  const options: RequestOptions = {
    ...listen,
    path,
    agent: false,
    timeout: ANSWER_MS,
    headers: { host: name ?? 'localhost', 'user-agent': `${TEST_AGENT}${token}`, accept: 'text/html' },
  };
  return new Promise((resolve, reject) => {
    const asked = send(options, tls, name, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
      response.once('error', reject);
    });
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_MS / 1000} s`)));
    asked.once('error', reject);
    asked.end();
  });
}

/** Does not verify the certificate: it is for the shop's name, this is our own nginx, and the request contains no secret. */
function send(
  options: RequestOptions,
  tls: boolean,
  name: string | undefined,
  answered: (response: IncomingMessage) => void,
): ClientRequest {
  if (!tls) return requestHttp(options, answered);
  return requestHttps(
    { ...options, rejectUnauthorized: false, ...(name !== undefined && { servername: name }) },
    answered,
  );
}

function urlOf({ listen, tls, name, path }: TestRequest): string {
  const where =
    'socketPath' in listen
      ? `unix:${listen.socketPath}:`
      : `${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${listen.port}`;
  return `${tls ? 'https' : 'http'}://${where}${path}${name === undefined ? '' : ` (Host: ${name})`}`;
}
