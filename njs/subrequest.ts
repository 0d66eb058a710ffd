// The location in nginx/server.conf that posts the line to the sidecar.
const CAPTURE = '/_hotitem/capture';

/**
 * Hands the view over to the sidecar by a detached subrequest; the page does not wait for it.
 * The value of `$hotitem_capture`: `1` when handed over, empty when `$hotitem_line` is empty, which is how a
 * configuration excludes a request.
 */
export function subrequest(r: NginxHTTPRequest): string {
  // Evaluated here on purpose: the line is cached from now on with the page's own $uri and time of arrival. First
  // evaluated in the subrequest it would carry that one's. Raw, because nobody reads it: no bytes are converted.
  const line = r.rawVariables.hotitem_line;
  if (!line || line.length === 0) return '';

  r.subrequest(CAPTURE, { detached: true, method: 'POST' });
  return '1';
}
