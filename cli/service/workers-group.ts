import { systemNginx } from '../../provision/nginx-inspect.ts';
import { askNginx } from '../check/ask-nginx.ts';
import { dumpSource, readConfiguration, splitDump } from '../check/configuration.ts';
import { diskSource } from '../check/disk-source.ts';
import { childrenOf } from '../check/site.ts';

/** The group of the workers of this host's nginx; undefined where it has none that runs. */
export async function workersGroup(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const program = systemNginx(env);
  const asked = program === undefined ? undefined : await askNginx([program]);
  if (asked === undefined) return undefined;
  const { build, dump } = asked;
  const files = dump === undefined ? undefined : splitDump(dump);
  const [main = build.conf] = files?.keys() ?? [];
  const configuration = readConfiguration(main, files === undefined ? diskSource : dumpSource(files));
  const user = [...childrenOf(configuration.main.directives)].find(({ name }) => name === 'user');
  const [name, group = name] = user?.args ?? [];
  return group ?? build.group;
}
