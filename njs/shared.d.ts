// By its types any name is a zone that exists, and none of them lasts.
interface NgxGlobalShared {
  readonly hotitem_counters: NgxSharedDict<number>;
  readonly hotitem_events: NgxSharedDict<string>;
}

/** Which engine a bundle is for, known when it is built. */
declare const QUICKJS: boolean;
