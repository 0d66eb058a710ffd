import { readFile, writeFile } from 'node:fs/promises';

/**
 * Changes the transport of an example's nginx.conf as an operator does: the includes in the http block, and one line in each location that
 * captures. It takes effect with `reload`, or at the next start.
 */
export async function chooseTransport(conf: string, transport: 'subrequest' | 'batch'): Promise<void> {
  const text = await readFile(conf, 'utf8');
  const http = /( *include "[^"]*\/)http\.conf";\n(?! *include "[^"]*http-batch)/;
  const withZones = text.replace(http, (line, start: string) => `${line}${start}http-batch.conf";\n`);
  await writeFile(
    conf,
    withZones.replaceAll(/capture-(subrequest|batch)\.conf/g, `capture-${transport}.conf`),
  );
}
