import { asFunction, replaceKafkajsModule } from './module.ts';

/** What kafkajs passes to the encoder of a request. */
type Alteration = {
  resources: { type: number; name: string; configEntries: { name: string; value: string }[] }[];
  validateOnly?: boolean;
};

/** The methods of kafkajs' own encoder that are used here. */
type Encoded = { buf: Buffer; buffer: Buffer };

/** Modules of kafkajs that are loaded with the first such request. */
const FILES = ['protocol/requests/alterConfigs/v0/request', 'protocol/requests/alterConfigs/v1/request'];
/** From the protocol: the number of the request, and of the operation that sets a value. */
const INCREMENTAL_ALTER_CONFIGS = 44;
const SET = 0;

/**
 * Makes `alterConfigs` of kafkajs set the given values and change nothing else. Its own request, AlterConfigs, resets every other setting
 * to the broker's default. IncrementalAlterConfigs (KIP-339, Kafka 2.3) differs by one byte per setting, and its response is the same.
 */
export function alterIncrementally(): boolean {
  const replaced = FILES.map((file) => replaceKafkajsModule(file, asFunction(toRequest)));
  return replaced.every(Boolean);
}

function toRequest(alteration: Alteration) {
  return {
    apiKey: INCREMENTAL_ALTER_CONFIGS,
    apiVersion: 0,
    apiName: 'IncrementalAlterConfigs',
    encode: async (): Promise<Encoded> => {
      const bytes = encode(alteration);
      return { buf: bytes, buffer: bytes };
    },
  };
}

function encode({ resources, validateOnly = false }: Alteration): Buffer {
  const encoded = resources.map(({ type, name, configEntries }) => {
    const settings = configEntries.map((entry) =>
      Buffer.concat([text(entry.name), byte(SET), text(entry.value)]),
    );
    return Buffer.concat([byte(type), text(name), list(settings)]);
  });
  return Buffer.concat([list(encoded), byte(validateOnly ? 1 : 0)]);
}

function byte(value: number): Buffer {
  return Buffer.from([value]);
}

function text(value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeInt16BE(Buffer.byteLength(value));
  return Buffer.concat([length, Buffer.from(value)]);
}

function list(items: Buffer[]): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(items.length);
  return Buffer.concat([length, ...items]);
}
