import type { InHand } from './in-hand.ts';
import { type Head, type HeadProblem, readHead } from './request-head.ts';

/** A request that has arrived. The bytes of its body count as in flight until its holder releases them. */
export type Arrived = { head: Head; body: Buffer };

/** Why a request is rejected. 413: too long, 503: dropped in favour of others. */
export type Refused = HeadProblem | 413 | 503;

export type IncomingOptions = {
  mostBytes: number;
  inHand: InHand;
  /** Called once, unless the request is forgotten first. `isLast`: more bytes followed the request, and will not be read. */
  done: (request: Arrived | Refused, isLast: boolean) => void;
};

export type Incoming = {
  add(chunk: Buffer): void;
  /** Releases what has arrived. Nothing is called after that. */
  forget(): void;
};

const NOTHING: Buffer = Buffer.alloc(0);
/** Initial buffer for a body. */
const FIRST_ROOM = 16 * 1024;
const GROWTH = 2;

/**
 * One request that arrives in pieces. The full size of its body counts as in flight from the start, so holding a request open gains
 * nothing. The buffer grows as the body arrives, so a thousand requests that have only begun allocate little. A body that is too long is
 * read to its end and discarded, so that the sender gets the answer.
 */
export function createIncoming({ mostBytes, inHand, done }: IncomingOptions): Incoming {
  let begun = NOTHING;
  let head: Head | undefined;
  let body = NOTHING;
  /** Bytes that count as in flight. */
  let taken = 0;
  let received = 0;
  let isOver = false;
  let stays = () => {};
  return { add, forget };

  function add(chunk: Buffer): void {
    if (isOver) return;
    if (head !== undefined) {
      addToBody(head, chunk);
      return;
    }
    begun = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
    const read = readHead(begun);
    if (typeof read === 'number') refuse(read);
    else if (read !== undefined) begin(read, begun.subarray(read.size));
  }

  function begin(read: Head, chunk: Buffer): void {
    head = read;
    begun = NOTHING;
    const { length } = read;
    if (length <= mostBytes && !makeRoom(length)) return;
    addToBody(read, chunk);
  }

  function makeRoom(length: number): boolean {
    if (!inHand.take(length)) {
      refuse(503);
      return false;
    }
    taken = length;
    stays = inHand.receiving(() => refuse(503));
    return true;
  }

  function addToBody(of: Head, chunk: Buffer): void {
    const { length } = of;
    // Without the bytes that follow it.
    if (length <= mostBytes) keep(chunk.subarray(0, length - received), length);
    received += chunk.length;
    if (received < length) return;
    if (length > mostBytes) refuse(413, received > length);
    else arrive(of, received > length);
  }

  function keep(chunk: Buffer, length: number): void {
    const end = received + chunk.length;
    if (end > body.length) {
      const larger = Buffer.allocUnsafe(Math.min(length, Math.max(FIRST_ROOM, GROWTH * end)));
      body.copy(larger, 0, 0, received);
      body = larger;
    }
    chunk.copy(body, received);
  }

  function arrive(of: Head, isLast: boolean): void {
    isOver = true;
    stays();
    done({ head: of, body }, isLast || of.isLast);
  }

  function refuse(status: Refused, isLast = true): void {
    if (isOver) return;
    forget();
    done(status, isLast);
  }

  function forget(): void {
    if (isOver) return;
    isOver = true;
    stays();
    inHand.letGo(taken);
    body = NOTHING;
    begun = NOTHING;
  }
}
