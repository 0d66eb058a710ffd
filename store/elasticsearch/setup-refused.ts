/** What is there must not be touched before somebody has decided. The message names the way out. */
export class SetupRefused extends Error {
  override name = 'SetupRefused';
}
