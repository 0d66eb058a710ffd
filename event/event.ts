import type { Kind } from './kind.ts';

/** One view of an item page, as every part after the sidecar's intake reads it. */
export type HotItemEvent = {
  /** Version of this shape. */
  v: 1;
  /** 12 hex digits of `time` and the first 20 of nginx's `$request_id`: unique, time-ordered, the same for the same line. */
  id: string;
  /** When nginx saw the request, ms since 1970. */
  time: number;
  /** The path: percent-decoded once, dot segments and double slashes resolved as nginx does. */
  uri: string;
  /** The path as it was asked for, only where it differs from `uri`. Bytes that are not ASCII are percent-encoded. */
  raw?: string;
  /** What follows the first `?`, as asked. */
  args?: string;
  item: string;
  /**
   * nginx's `$remote_addr`, or what `privacy.ip` made of it; absent where that is nothing. An IPv4 address that came in through
   * an IPv6 socket is the IPv4 address.
   */
  ip?: string;
  host?: string;
  method?: string;
  ua?: string;
  ref?: string;
  /** 16 hex digits for `$hotitem_visitor`, others each UTC day; absent where the shop has no such key: `visitorOf` says who viewed. */
  visitor?: string;
  /** What the request was; absent means a view. */
  kind?: Kind;
  /** Whether its user agent says so; absent means no, or not looked at. */
  bot?: boolean;
  /** The nginx host that captured it. */
  node?: string;
  /** How many views this event stands for; absent means 1. */
  weight?: number;
  /** The names of the fields that were longer than their limit and are cut. */
  cut?: string[];
};
