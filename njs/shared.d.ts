// The types declare every name as an existing zone; here a zone may be missing.
interface NgxGlobalShared {
  readonly hotitem_counters: NgxSharedDict<number>;
  readonly hotitem_events: NgxSharedDict<string>;
}

/** The engine that a bundle is built for; a build-time constant. */
declare const QUICKJS: boolean;

// The types declare a body as text; both engines also accept bytes.
interface NgxObject {
  fetch(
    url: string,
    options: { method: string; body: string | Buffer; headers: Record<string, string> },
  ): Promise<Response>;
}
