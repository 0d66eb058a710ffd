/** A part cannot be obtained. The message says which and why, `hint` what to do. */
export class ProvisionError extends Error {
  override name = 'ProvisionError';
  readonly hint: string;

  constructor(message: string, options: { hint: string; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.hint = options.hint;
  }
}
