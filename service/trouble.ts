/** Something that the person at the terminal can put right: what it is, and the way out. */
export class Trouble extends Error {
  override name = 'Trouble';
  readonly hint: string | undefined;
  /** What the process exits with. */
  readonly status: number;

  constructor(message: string, hint?: string, status = 1) {
    super(message);
    this.hint = hint;
    this.status = status;
  }
}
