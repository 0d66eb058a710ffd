/** An existing object must not be changed before a person has decided. The message says what to do. */
export class SetupRefused extends Error {
  override name = 'SetupRefused';
}
