import { readBody } from '../../service/read-body.ts';
import { IndexUnavailable } from '../../store/event-index.ts';
import { type SocketRoute, sendJson } from '../socket/socket-route.ts';

/** A request has more than a route takes. */
export class TooMuch extends Error {}

/**
 * A route that takes a `POST` and sends what `answer` makes of its text as JSON. The text is undefined if it has more than `mostBytes`;
 * `gone` is aborted when nobody waits for the answer any more. 400: an error; 413: `TooMuch`; 503: the index is unavailable.
 */
export function createBodyRoute(
  mostBytes: number,
  answer: (text: string | undefined, gone: AbortSignal) => Promise<unknown>,
): SocketRoute {
  return (request, response) => {
    if (request.method !== 'POST') {
      request.resume();
      sendJson(response, 405, { error: 'only POST' });
      return;
    }
    const gone = new AbortController();
    response.on('close', () => gone.abort(new Error('nobody waits for the answer')));
    void readBody(request, mostBytes).then(
      async (text) => {
        try {
          sendJson(response, 200, await answer(text, gone.signal));
        } catch (error) {
          if (gone.signal.aborted) return;
          sendJson(response, statusOf(error), {
            error: error instanceof Error ? error.message : String(error),
          });
        }
      },
      () => response.destroy(),
    );
  };
}

function statusOf(error: unknown): number {
  if (error instanceof TooMuch) return 413;
  return error instanceof IndexUnavailable ? 503 : 400;
}
