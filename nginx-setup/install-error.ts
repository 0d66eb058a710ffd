/** `BAD_OPTION`: a value that cannot go into nginx' configuration · `NOT_BUILT`: a bundle is missing. */
export type NginxInstallErrorCode = 'BAD_OPTION' | 'NOT_BUILT';

/** Why the nginx files were not written; `hint` names the way out. */
export class NginxInstallError extends Error {
  override readonly name = 'NginxInstallError';
  readonly code: NginxInstallErrorCode;
  readonly hint: string;

  constructor(code: NginxInstallErrorCode, message: string, options: { hint: string; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}
