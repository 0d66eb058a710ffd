import { resolve } from 'node:path';

/** What `nginx -V` says of how it was built. */
export type Build = {
  /** `1.26.3` */
  version: string;
  prefix: string;
  /** The configuration that it reads where it is told none. */
  conf: string;
  /** Where the running one writes its process id, where the configuration says nothing. */
  pid: string;
  /** Where packages put modules. */
  modulesPath: string;
  /** Whom the workers run as where the configuration says nothing. */
  user: string;
  group: string;
};

/** Reads the output of `nginx -V`. Returns undefined where that is no nginx's. */
export function parseBuild(text: string): Build | undefined {
  const version = /^nginx version: [^/\s]+\/(\d+(?:\.\d+)+)/m.exec(text)?.[1];
  if (version === undefined) return undefined;
  const prefix = option('prefix') ?? '/usr/local/nginx';
  const user = option('user') ?? 'nobody';
  return {
    version,
    prefix,
    conf: resolve(prefix, option('conf-path') ?? 'conf/nginx.conf'),
    pid: resolve(prefix, option('pid-path') ?? 'logs/nginx.pid'),
    modulesPath: resolve(prefix, option('modules-path') ?? 'modules'),
    user,
    group: option('group') ?? user,
  };

  function option(name: string): string | undefined {
    return new RegExp(`--${name}=(\\S+)`).exec(text)?.[1];
  }
}
