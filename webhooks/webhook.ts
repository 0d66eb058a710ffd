/** Where decisions are posted. */
export type Webhook = {
  /** In logs, metrics and status: an address may hold a secret. */
  name: string;
  url: string;
  secretFile: string;
  /** Whose that file may be, beside root; default: whoever runs this. */
  uid?: number;
};

/** `id` and `body` are the same in each attempt. */
export type Message = {
  id: string;
  body: string;
  /** ms since 1970 */
  at: number;
};
