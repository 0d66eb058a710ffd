/**
 * What a request was, if it is not a view: a prefetched page, a part of a page, a look at its
 * headers, any other method, or a test by `hotitem doctor`, which counts nowhere.
 */
export const KINDS = ['prefetch', 'part', 'head', 'other', 'test'] as const;
export type Kind = (typeof KINDS)[number];

/**
 * By the method, and by what nginx says the request is for (`$hotitem_purpose`, empty for most). Undefined: a view. A word that
 * an operator made up is `other`. A conditional GET is a view: somebody opens a page that the browser has cached.
 */
export function kindOf(method: string, purpose: string): Kind | undefined {
  if (purpose !== '') return isKind(purpose) ? purpose : 'other';
  if (method === 'GET' || method === '') return undefined;
  return method === 'HEAD' ? 'head' : 'other';
}

export function isKind(value: unknown): value is Kind {
  return KINDS.some((kind) => kind === value);
}
