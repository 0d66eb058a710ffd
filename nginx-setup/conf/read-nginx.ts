import { Trouble } from '../../service/trouble.ts';
import { type Asked, askNginx } from '../program/ask-nginx.ts';
import { type Configuration, dumpSource, readConfiguration, splitDump } from './configuration.ts';
import { diskSource } from './disk-source.ts';

export type NginxRead = {
  asked: Asked;
  /** The path of its nginx.conf. */
  main: string;
  /** As nginx prints it, or from the files on disk if nginx rejects it. */
  configuration: Configuration;
  /** Whether not even that could be read. */
  unreadable: boolean;
};

/**
 * The configuration of an nginx, of the file `conf` where it is given. Starts nothing and changes nothing. Throws `Trouble` where
 * there is no such nginx.
 */
export async function readNginx(command: string[], conf?: string): Promise<NginxRead> {
  const program = command.at(-1) ?? '';
  const asked = await askNginx(command, conf);
  if (asked === undefined)
    throw new Trouble(
      `${program} is not a working nginx`,
      'Pass its path: hotitem check --nginx /usr/sbin/nginx',
    );
  const { build, dump } = asked;
  const files = dump === undefined ? undefined : splitDump(dump);
  const [main = conf ?? build.conf] = files?.keys() ?? [];
  const configuration = readConfiguration(main, files === undefined ? diskSource : dumpSource(files));
  // A configuration that cannot be read at all is not one that captures nothing.
  return {
    asked,
    main,
    configuration,
    unreadable: dump === undefined && diskSource.read(main) === undefined,
  };
}
