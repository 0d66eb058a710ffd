import type { IncomingMessage, ServerResponse } from 'node:http';
import { toJson } from '../../service/json-text.ts';
import { readBody } from '../../service/read-body.ts';
import { type SocketRoute, sendJson } from '../socket/socket-route.ts';
import { type Control, toCaptureMode } from './switch.ts';

const MOST_BYTES = 1_000;

/** `/v1/control` on the control socket, for `hotitem capture`: GET returns the capture mode, POST sets it. */
export function createControlRoute(control: Control): SocketRoute {
  return (request, response) => {
    if (request.method === 'POST') {
      void change(request, response);
      return;
    }
    request.resume();
    if (request.method === 'GET') sendJson(response, 200, control.state());
    else sendJson(response, 405, { error: 'only GET and POST' });
  };

  async function change(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const mode = toCaptureMode(toJson(await readBody(request, MOST_BYTES)));
      if (mode === undefined) {
        return sendJson(response, 400, { error: 'mode: must be on, off, or sample with n from 2 to 10000' });
      }
      sendJson(response, 200, await control.set(mode));
    } catch {
      sendJson(response, 500, { error: 'the mode could not be stored' });
    }
  }
}
