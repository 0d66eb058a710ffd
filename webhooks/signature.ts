import { createHmac } from 'node:crypto';
import type { Message } from './webhook.ts';

/**
 * The headers of a message, as in the Standard Webhooks specification 1.0: HMAC-SHA256 over `id.timestamp.body`, one signature for each key. `now`: ms
 * since 1970.
 */
export function signed(
  { id, body }: Pick<Message, 'id' | 'body'>,
  keys: readonly Buffer[],
  now: number,
): Record<string, string> {
  const timestamp = Math.floor(now / 1000);
  const content = `${id}.${timestamp}.${body}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': keys
      .map((key) => `v1,${createHmac('sha256', key).update(content).digest('base64')}`)
      .join(' '),
  };
}
