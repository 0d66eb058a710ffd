const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** Parses an ISO 8601 text, ms since 1970; undefined if it is invalid. Without a zone it is UTC. */
export function toInstant(text: string): number | undefined {
  const time = ISO.test(text) ? Date.parse(withZone(text.replace(' ', 'T'))) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

function withZone(text: string): string {
  return /T.*(?:Z|[+-]\d{2}:?\d{2})$|^[^T]*$/.test(text) ? text : `${text}Z`;
}
