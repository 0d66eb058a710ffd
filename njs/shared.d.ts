// By its types any name is a zone that exists, and none of them lasts.
interface NgxGlobalShared {
  readonly hotitem_counters: NgxSharedDict<number>;
  readonly hotitem_events: NgxSharedDict<string>;
}

/** Which engine a bundle is for, known when it is built. */
declare const QUICKJS: boolean;

// By its types a body is text; both engines take bytes.
interface NgxObject {
  fetch(
    url: string,
    options: { method: string; body: string | Buffer; headers: Record<string, string> },
  ): Promise<Response>;
}
