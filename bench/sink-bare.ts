import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { HotItemEvent } from '../event/event.ts';
import { createBody } from '../store/elasticsearch/body.ts';
import { toOperation } from '../store/elasticsearch/document.ts';

export type BareOptions = {
  node: string;
  dataStream: string;
  /** Bodies of bulk requests, ready to be sent. */
  bodies: Buffer[];
  /** Requests under way at once. */
  requests: number;
};

const QUERY = 'require_data_stream=true&filter_path=took,errors,items.*.status,items.*.error';

/** Bulk requests as a sink sends them, made before anything is measured. */
export async function readyBodies(events: HotItemEvent[], size: number): Promise<Buffer[]> {
  const bodies: Buffer[] = [];
  for (let from = 0; from < events.length; from += size) {
    bodies.push((await createBody(events.slice(from, from + size), toOperation)).bytes);
  }
  return bodies;
}

/** Sends everything as fast as Elasticsearch takes it, and does nothing else. */
export async function sendBare({ node, dataStream, bodies, requests }: BareOptions): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: requests });
  const left = bodies.values();
  await Promise.all(
    Array.from({ length: requests }, async () => {
      for (const body of left) await post(body);
    }),
  );
  agent.destroy();

  async function post(body: Buffer): Promise<void> {
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': body.length };
    const asked = request(`${node}/${dataStream}/_bulk?${QUERY}`, { method: 'POST', agent, headers });
    asked.end(body);
    const [reply] = await once(asked, 'response');
    let text = '';
    for await (const chunk of reply.setEncoding('latin1')) text += chunk;
    if (reply.statusCode !== 200 || !text.includes('"errors":false')) throw new Error(text.slice(0, 500));
  }
}
