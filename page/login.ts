/** What a reader is told where a login before the page has ended. */
export const LOGIN_ENDED = 'your login has ended: reload this page';

/**
 * Whether something before the sidecar, such as a proxy for single sign-on, asks for a login in its place: the sidecar neither redirects nor
 * answers a question with HTML. `reply`: of a request that does not follow redirects, which may lead to another host.
 */
export function asksForLogin({
  type,
  status,
  headers,
}: Pick<Response, 'type' | 'status' | 'headers'>): boolean {
  if (type === 'opaqueredirect' || status === 401) return true;
  return (status === 200 || status === 403) && headers.get('content-type')?.startsWith('text/html') === true;
}
