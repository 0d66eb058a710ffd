import { INCLUDE_FILES, type IncludeSettings, nginxTemplate, renderInclude } from './includes.ts';

/** Files with definitions that other includes and the operator's own lines may use. */
const DEFINERS = ['http.conf', 'http-log.conf', 'off.conf', 'off-batch.conf'];
const HOT_DEFINERS = ['http-hot.conf', 'off-hot.conf'];
const PROTECT_DEFINERS = ['http-protect.conf', 'off-protect.conf'];
const BATCH = `map "" $hotitem_capture_batch {
    default "";
}
`;

/**
 * The includes during removal: those for `http` have the definitions of off.conf, all others are empty. So the lines that include them
 * can be removed in any order, and nginx starts at each step. Returned in the order in which they must be written.
 */
export async function inertIncludes(
  dir: string,
  settings: IncludeSettings,
): Promise<{ name: string; text: string }[]> {
  const names = INCLUDE_FILES.filter((name) => name.endsWith('.conf')).toReversed();
  return Promise.all(names.map(async (name) => ({ name, text: await inert(name) })));

  async function inert(name: string): Promise<string> {
    const [context = ''] = (await nginxTemplate(name)).split('\n');
    const head = `${context}\n#\n# hotitem is being removed (\`hotitem nginx remove\`): remove the line that includes this file.\n`;
    if (DEFINERS.includes(name))
      return `${head}${await renderInclude('off.conf', { dir, settings, version: '' })}`;
    if (HOT_DEFINERS.includes(name)) return `${head}${await nginxTemplate('off-hot.conf')}`;
    if (PROTECT_DEFINERS.includes(name)) return `${head}${await nginxTemplate('off-protect.conf')}`;
    return name === 'http-batch.conf' ? `${head}${BATCH}` : head;
  }
}
