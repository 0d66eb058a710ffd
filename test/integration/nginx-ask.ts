import { type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';

export type Ask = {
  port: number;
  /** As it goes into the request line, one character a byte: nothing is encoded or resolved. */
  path: string;
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string;
  /** Whose connections are used. */
  agent: Agent;
};

export type Reply = { status: number; headers: IncomingHttpHeaders; body: string };

/** One request to nginx on 127.0.0.1, byte for byte as told. */
export function ask({ port, path, method = 'GET', headers = {}, body, agent }: Ask): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent }, (response) => {
      response.setEncoding('latin1');
      let text = '';
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
