import { Trouble } from '../../service/trouble.ts';
import { type Asked, askNginx, whyNoNginx } from '../program/ask-nginx.ts';
import { type Configuration, dumpSource, readConfiguration, splitDump } from './configuration.ts';
import { diskSource } from './disk-source.ts';

export type NginxRead = {
  asked: Asked;
  /** The path of its nginx.conf. */
  main: string;
  /** From `nginx -T`, or from the files on disk if nginx rejects the configuration. */
  configuration: Configuration;
  /** Neither could be read. */
  unreadable: boolean;
};

/**
 * Reads the configuration of an nginx, or the file `conf` if given. Starts and changes nothing. Throws `Trouble` if there is no such
 * nginx.
 */
export async function readNginx(command: string[], conf?: string): Promise<NginxRead> {
  const program = command.at(-1) ?? '';
  const asked = await askNginx(command, conf);
  if (asked === undefined)
    throw new Trouble(
      `${program} is not a working nginx (-V: ${await whyNoNginx(command)})`,
      'Pass its path: hotitem check --nginx /usr/sbin/nginx',
    );
  const { build, dump } = asked;
  const files = dump === undefined ? undefined : splitDump(dump);
  const [main = conf ?? build.conf] = files?.keys() ?? [];
  const configuration = readConfiguration(main, files === undefined ? diskSource : dumpSource(files));
  // An unreadable configuration must not be reported as one that captures nothing.
  return {
    asked,
    main,
    configuration,
    unreadable: dump === undefined && diskSource.read(main) === undefined,
  };
}
