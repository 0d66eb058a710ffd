/** A problem that the operator can fix: what it is, and a hint. */
export class Trouble extends Error {
  override name = 'Trouble';
  readonly hint: string | undefined;
  /** Exit status of the process. */
  readonly status: number;

  constructor(message: string, hint?: string, status = 1) {
    super(message);
    this.hint = hint;
    this.status = status;
  }
}
