import { isAbsolute } from 'node:path';

/** A value for each placeholder: `@HOTITEM_DIR@` has the key `dir`. A line whose value is undefined is omitted. */
export type TemplateValues = Readonly<Record<string, string | undefined>>;

const PLACEHOLDER = /@HOTITEM_([A-Z]+)@/g;

// Characters that could end a quoted string or a directive, start a variable or a comment, or be a pattern for `include`.
const UNSAFE = /[\s\p{C}"'`;{}$\\#*?[\]]/u;

// sun_path of Linux, without the final zero.
const SOCKET_BYTES = 107;

/** Fills in a configuration template. Throws on a placeholder without a key in `values`: a bug in the template. */
export function renderTemplate(template: string, values: TemplateValues): string {
  return template.split('\n').filter(hasValues).map(fill).join('\n');

  function hasValues(line: string): boolean {
    return [...line.matchAll(PLACEHOLDER)].every(([, key]) => valueFor(key) !== undefined);
  }

  function fill(line: string): string {
    return line.replace(PLACEHOLDER, (_, key: string) => valueFor(key) ?? '');
  }

  function valueFor(key = ''): string | undefined {
    const name = key.toLowerCase();
    if (!Object.hasOwn(values, name))
      throw new Error(`the template names @HOTITEM_${key}@, which has no value`);
    return values[name];
  }
}

/** What is wrong with a path for the configuration; undefined if nothing is. */
export function pathProblem(option: string, path: string): string | undefined {
  if (!isAbsolute(path)) return `${option}: must be an absolute path (got ${JSON.stringify(path)})`;
  return characterProblem(option, path);
}

/** Like `pathProblem`, with the length that the kernel allows for a socket. */
export function socketProblem(option: string, path: string): string | undefined {
  const bytes = Buffer.byteLength(path);
  if (bytes <= SOCKET_BYTES) return pathProblem(option, path);
  return `${option}: a socket's path has at most ${SOCKET_BYTES} bytes, this has ${bytes} (got ${JSON.stringify(path)})`;
}

/** What is wrong with a `host:port`, or a port alone, for nginx's `listen`; undefined if nothing is. */
export function addressProblem(option: string, address: string): string | undefined {
  const port = /^(?:(?:\[[0-9a-fA-F:.]+\]|[\w.-]+):)?(\d{1,5})$/.exec(address)?.[1];
  if (port !== undefined && Number(port) >= 1 && Number(port) <= 65535) return undefined;
  return `${option}: must be host:port with a port from 1 to 65535 (got ${JSON.stringify(address)})`;
}

/** What is wrong with a word such as a user name; undefined if nothing is. */
export function characterProblem(option: string, value: string): string | undefined {
  const found = UNSAFE.exec(value)?.[0];
  if (value !== '' && found === undefined) return undefined;
  const what = found === undefined ? 'must not be empty' : `must not contain ${JSON.stringify(found)}`;
  return `${option}: ${what}, it becomes part of nginx's configuration (got ${JSON.stringify(value)})`;
}
