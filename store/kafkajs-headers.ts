import { patchKafkajs } from './kafkajs-patch.ts';

/** Decodes one header. */
type Read = (decoder: Decoder) => unknown;
/** Adds a header to those before it. */
type Add = (headers: object, header: unknown) => object;
type Decoder = { readVarIntArray(read: Read): { reduce(add: Add, none: object): object } };

/** The headers of a record, decoded when somebody asks. No function: there are tens of thousands of them. */
type Late = { decoder: Decoder; read: Read; add: Add; opened?: object };

/**
 * kafkajs 2.2.4 decodes the headers of each record: with three on each that is a seventh of what a sink costs, and it never
 * looks at them. With this they are decoded when somebody does.
 */
export function readHeadersLate(): void {
  patchKafkajs<Decoder>('protocol/decoder', 'readVarIntArray', (prototype) => {
    const readAll = prototype.readVarIntArray;
    const handler: ProxyHandler<Late> = {
      get: (late, name) => Reflect.get(opened(late), name),
      has: (late, name) => Reflect.has(opened(late), name),
      ownKeys: (late) => Reflect.ownKeys(opened(late)),
      getOwnPropertyDescriptor: (late, name) => Reflect.getOwnPropertyDescriptor(opened(late), name),
    };
    // Used for headers only, the last field of a record: nothing is read from this decoder after them.
    prototype.readVarIntArray = function (this: Decoder, read: Read) {
      return { reduce: (add: Add) => new Proxy<Late>({ decoder: this, read, add }, handler) };
    };

    function opened(late: Late): object {
      late.opened ??= readAll.call(late.decoder, late.read).reduce(late.add, {});
      return late.opened;
    }
  });
}
