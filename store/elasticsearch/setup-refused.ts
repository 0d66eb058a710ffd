/** An existing object must not be changed before an operator has decided. The message says what to do. */
export class SetupRefused extends Error {
  override name = 'SetupRefused';
}
