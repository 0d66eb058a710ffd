// By its types any name is a zone that exists, and none of them lasts.
interface NgxGlobalShared {
  readonly hotitem_counters: NgxSharedDict<number>;
  readonly hotitem_events: NgxSharedDict<string>;
}
