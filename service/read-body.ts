import type { IncomingMessage } from 'node:http';

/**
 * The text of a request. Undefined if it has more than `mostBytes`: it is read to its end nevertheless, because the client would not see the
 * answer otherwise. Rejects if the client disconnects before the end.
 */
export async function readBody(request: IncomingMessage, mostBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= mostBytes) chunks.push(chunk);
  }
  return length <= mostBytes ? Buffer.concat(chunks).toString('utf8') : undefined;
}
