import { splitDump } from '../nginx-setup/conf/configuration.ts';
import { askNginx } from '../nginx-setup/program/ask-nginx.ts';
import { systemNginx } from '../nginx-setup/program/inspect.ts';

/** Where this host's nginx configuration names something below `folder`; undefined where it does not, or there is no nginx. */
export async function nginxUses(folder: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const program = systemNginx(env);
  const asked = program === undefined ? undefined : await askNginx([program]);
  if (asked === undefined) return undefined;
  const { dump, complaints } = asked;
  if (dump === undefined) return `it cannot be determined: ${complaints[0]?.text}`;
  return [...splitDump(dump)].find(([, text]) => text.includes(`${folder}/`))?.[0];
}
