import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { codeOf } from '../service/error-code.ts';
import { MOST_BYTES, type Page } from './page.ts';

export type Mode = 'probe' | 'fill' | 'look';

export type Asked = {
  mode: Mode;
  /** One of the configured hosts. */
  host: string;
  /** The path and query, as clients write it. */
  target: string;
  word: string;
  headers?: Record<string, string>;
};

export type PageRequests = {
  /** Rejects where there is no answer, with the reason in words; with `NoAnswer` where nginx itself is not there. */
  ask(asked: Asked): Promise<Page>;
  close(): void;
};

/** nginx does not answer at all. Merchandisers read its message, too: on the live page. */
export class NoAnswer extends Error {
  override name = 'NoAnswer';

  constructor(cause: Error) {
    super(`no answer from nginx (nginx.keeper): ${cause.message}`, { cause });
  }
}

/** nginx has closed a kept connection, as it does at a reload, when a request was just sent on it. */
class KeptClosed extends Error {
  override name = 'KeptClosed';
}

export type PageRequestsOptions = {
  /** Of nginx's listener for the keeper: a loopback address. */
  address: { host: string; port: number };
  https: boolean;
  /** In every request: what a load balancer in front of nginx adds for shoppers. */
  headers?: Record<string, string>;
  /** For the whole answer. */
  timeoutMs: number;
};

/** Asks nginx on its loopback listener, and nobody else: no redirect is followed, no name is resolved, no cookie is kept. */
export function createPageRequests({
  address,
  https,
  headers: always,
  timeoutMs,
}: PageRequestsOptions): PageRequests {
  const agent = https ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  return { ask, close: () => agent.destroy() };

  async function ask(asked: Asked): Promise<Page> {
    const signal = AbortSignal.timeout(timeoutMs);
    for (;;) {
      try {
        return await askOnce(asked, signal);
      } catch (error) {
        if (!(error instanceof KeptClosed)) throw error;
      }
    }
  }

  function askOnce({ mode, host, target, word, headers }: Asked, signal: AbortSignal): Promise<Page> {
    return new Promise((resolve, reject) => {
      const options: RequestOptions = {
        host: address.host,
        port: address.port,
        path: target,
        method: 'GET',
        agent,
        headers: { ...always, ...headers, Host: host, 'Keep-Alive': `hotitem-${mode}=${word}` },
        signal,
      };
      const began = performance.now();
      const asked = https ? secure(options, host) : httpRequest(options);
      const tooLate = () => new Error(`no whole answer within ${timeoutMs / 1_000} s`);
      asked.on('error', (error) => {
        if (signal.aborted) reject(tooLate());
        else reject(asked.reusedSocket && isClosed(error) ? new KeptClosed() : new NoAnswer(error));
      });
      asked.once('response', (response) => {
        const waitedMs = performance.now() - began;
        const chunks: Buffer[] = [];
        let bytes = 0;
        const page = (isWhole: boolean): Page => ({
          status: response.statusCode ?? 0,
          headers: headersOf(response.rawHeaders),
          body: Buffer.concat(chunks),
          bytes,
          isWhole,
          waitedMs,
        });
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes <= MOST_BYTES) chunks.push(chunk);
          else response.destroy();
        });
        response.once('close', () => {
          if (signal.aborted) reject(tooLate());
          else resolve(page(response.complete && bytes <= MOST_BYTES));
        });
        response.on('error', () => undefined);
      });
      asked.end();
    });
  }
}

function isClosed(error: Error): boolean {
  return ['ECONNRESET', 'EPIPE'].includes(codeOf(error) ?? '');
}

/** The certificate is the shop's, for its name; who answers is nginx on this host, which is known by the address. */
function secure(options: RequestOptions, host: string): ClientRequest {
  return httpsRequest({ ...options, servername: host.replace(/:\d+$/, ''), rejectUnauthorized: false });
}

function headersOf(raw: string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), raw[i + 1] ?? '']);
  }
  return headers;
}
