export type Ask = { method: 'GET' | 'POST'; path: string; body?: string | Buffer };

/**
 * Sends a request to the sidecar on its socket, from a periodic. Rejects if it cannot be reached, or takes longer than the location's
 * `js_fetch_timeout`.
 */
export function askSidecar(session: NginxPeriodicSession, ask: Ask): Promise<Response> {
  return ngx.fetch(`http://unix:${session.variables.hotitem_socket}:${ask.path}`, {
    method: ask.method,
    body: ask.body || '',
    headers: { Host: 'hotitem', 'Content-Type': 'text/plain' },
  });
}
