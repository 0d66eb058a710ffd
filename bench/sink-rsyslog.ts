import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PartProcess, startProcess } from '../test/parts/process.ts';
import type { Rsyslog } from '../test/provision/rsyslog.ts';

export type RsyslogOptions = {
  rsyslog: Rsyslog;
  folder: string;
  brokers: string[];
  topic: string;
  group: string;
  node: string;
  dataStream: string;
};

/** rsyslog's way from a topic into a data stream: the same documents as the sink's, under the same ids. */
export function startRsyslog(options: RsyslogOptions): PartProcess {
  const { rsyslog, folder } = options;
  mkdirSync(folder, { recursive: true });
  const conf = join(folder, 'rsyslog.conf');
  writeFileSync(conf, configuration(options));
  return startProcess({
    name: 'rsyslog',
    command: [...rsyslog.command, '-n', '-f', conf, '-i', join(folder, 'rsyslog.pid')],
    logFile: join(folder, 'rsyslog.log'),
  });
}

/** The document that the sink makes, out of the fields that mmjsonparse found, as rsyslog's manual shows it. */
function documentTemplate(): string {
  const text = (field: string) => `\\"%$!${field}:::json%\\"`;
  const pairs = (object: Record<string, string>) =>
    `{${Object.entries(object)
      .map(([key, value]) => `\\"${key}\\":${value}`)
      .join(',')}}`;
  return pairs({
    '@timestamp': '%$!time%',
    event: pairs({ id: text('id'), dataset: '\\"hotitem.view\\"', created: '%$!time%' }),
    url: pairs({ original: text('uri'), path: text('uri'), domain: text('host') }),
    http: pairs({ request: pairs({ method: text('method') }) }),
    client: pairs({ address: text('ip'), ip: text('ip') }),
    source: pairs({ ip: text('ip') }),
    user_agent: pairs({ original: text('ua') }),
    host: pairs({ name: text('node') }),
    hot_item: pairs({ id: text('item'), weight: '1' }),
  });
}

function configuration({ folder, brokers, topic, group, node, dataStream }: RsyslogOptions): string {
  const { hostname, port } = new URL(node);
  return `global(workDirectory="${folder}" maxMessageSize="64k")
module(load="imkafka")
module(load="mmjsonparse")
module(load="omelasticsearch")
template(name="document" type="string" string="${documentTemplate()}")
template(name="id" type="string" string="%$!id%")
input(type="imkafka" topic="${topic}" broker=["${brokers.join('","')}"] consumergroup="${group}"
      confParam=["auto.offset.reset=earliest", "session.timeout.ms=10000"] ruleset="index")
ruleset(name="index" queue.type="LinkedList" queue.size="100000" queue.dequeuebatchsize="2000" queue.workerthreads="2") {
  action(type="mmjsonparse" cookie="")
  action(type="omelasticsearch" server="${hostname}" serverport="${port}" searchIndex="${dataStream}" searchType=""
         template="document" bulkmode="on" maxbytes="10m" dynbulkid="on" bulkid="id" writeoperation="create"
         errorfile="${join(folder, 'errors.json')}" action.resumeRetryCount="-1")
}
action(type="omfile" file="${join(folder, 'own.log')}")
`;
}
