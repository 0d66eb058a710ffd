const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** Parses an ISO 8601 text, ms since 1970; undefined if it is invalid. Without a zone it is UTC. */
export function toInstant(text: string): number | undefined {
  if (!ISO.test(text) || !isDay(text.slice(0, 10))) return undefined;
  const time = Date.parse(withZone(text.replace(' ', 'T')));
  return Number.isNaN(time) ? undefined : time;
}

/** `Date.parse` takes 30 February for 2 March. */
function isDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

function withZone(text: string): string {
  return /T.*(?:Z|[+-]\d{2}:?\d{2})$|^[^T]*$/.test(text) ? text : `${text}Z`;
}
