import { resolve } from 'node:path';

/** The build options that `nginx -V` prints. */
export type Build = {
  /** `1.26.3` */
  version: string;
  prefix: string;
  /** The configuration file that it reads by default. */
  conf: string;
  /** The default path of its pid file. */
  pid: string;
  /** The folder of dynamic modules. */
  modulesPath: string;
  /** The default user of the workers. */
  user: string;
  group: string;
};

/** Parses the output of `nginx -V`. Returns undefined if it is not nginx's. */
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
