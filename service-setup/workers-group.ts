import { dumpSource, readConfiguration, splitDump } from '../nginx-setup/conf/configuration.ts';
import { diskSource } from '../nginx-setup/conf/disk-source.ts';
import { childrenOf } from '../nginx-setup/conf/site.ts';
import { askNginx } from '../nginx-setup/program/ask-nginx.ts';
import { systemNginx } from '../nginx-setup/program/inspect.ts';

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
