/** A part cannot be had. The message says which and why, `hint` what to do about it. */
export class ProvisionError extends Error {
  override name = 'ProvisionError';
  readonly hint: string;

  constructor(message: string, options: { hint: string; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.hint = options.hint;
  }
}
