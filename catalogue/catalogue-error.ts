/** A file that cannot be used as a whole. The message says why, and what to do. */
export class CatalogueError extends Error {
  override name = 'CatalogueError';
}
