/** Something that the person at the terminal can put right: what it is, and the way out. */
export class Trouble extends Error {
  override name = 'Trouble';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
