import { type Finding, shellWord } from '../service/finding.ts';
import type { Places } from './facts.ts';

type Cause = Pick<Finding, 'id' | 'why' | 'fix'> & { command?: string };
type Known = Omit<Cause, 'command'> & { command: string | ((places: Places) => string) };

/** Known causes behind messages of Kafka and Elasticsearch, with what to do. */
const CAUSES: [RegExp, Known][] = [
  [
    /(?:refuses|rejects) the login \(401\)/,
    {
      id: 'index-login',
      why: 'the API key has expired, was revoked, or is wrong, or the password is wrong: events wait and are not indexed',
      fix: 'create a new key (docs/elasticsearch.md), store its `encoded` in the file of elasticsearch.api_key, restart the sink',
      command: (places) =>
        `${curl(places, '/_security/api_key')} -H 'content-type: application/json' -d ${shellWord(newKey(places))} && systemctl restart hotitem-sink`,
    },
  ],
  [
    /flood-stage watermark|disk usage exceeded/i,
    {
      id: 'index-disk-full',
      why: 'a node of Elasticsearch is almost out of disk space and accepts nothing; events wait',
      fix: 'free space on its data disk, or shorten elasticsearch.retention_days and run hotitem setup --yes',
      command: (places) => curl(places, '/_cat/allocation?v'),
    },
  ],
  [
    /no data stream .* and no template|not a data stream|does not have the mapping of hotitem|accepts no event at all/,
    {
      id: 'index-not-set-up',
      why: 'without its template, the index would map events wrongly, so none is sent',
      fix: 'create the template and the data stream',
      command: 'hotitem setup',
    },
  ],
  [
    /hot_item\.\w+ is unmapped in the data stream/,
    {
      id: 'index-lacks-field',
      why: 'without this field, numbers would be wrong, such as bots counted as people, so the page has none; events are indexed',
      fix: 'add the field to the index template and to the backing index (docs/elasticsearch.md, "When an index lacks a field")',
      command: 'hotitem setup',
    },
  ],
  [
    /message\.timestamp|INVALID_TIMESTAMP|timestamp of the message is out of acceptable range/i,
    {
      id: 'clock',
      why: 'Kafka rejects records whose time is too far from its own (message.timestamp.after.max.ms)',
      fix: 'correct the clock of this host, or of the brokers',
      command: 'timedatectl set-ntp true',
    },
  ],
  [
    /EACCES: permission denied, open/,
    {
      id: 'certificate-unreadable',
      why: 'the user who runs this cannot read a file that the configuration names',
      fix: 'give the group of the service read access; hotitem doctor, as root, prints the command',
      command: 'hotitem doctor',
    },
  ],
  [
    /no space left on device|ENOSPC/i,
    {
      id: 'disk-full',
      why: 'nothing can be written there; nginx writes spill files, or drops views if it cannot',
      fix: 'free space on that disk, or lower spool.max_bytes and spill.max_bytes',
      command: 'du -xh --max-depth=2 /var | sort -h | tail -n 20',
    },
  ],
];

/** The cause of another program's message; undefined if the message is unknown. */
export function knownCause(text: string, places: Places): Cause | undefined {
  const known = CAUSES.find(([words]) => words.test(text))?.[1];
  if (known === undefined) return undefined;
  const { command } = known;
  return { ...known, command: typeof command === 'string' ? command : command(places) };
}

/** As the superuser, who is asked for his password. */
function curl({ node = 'http://127.0.0.1:9200', caFile }: Places, path: string): string {
  const authority = caFile === undefined ? '' : `--cacert ${shellWord(caFile)} `;
  return `curl ${authority}-u elastic ${shellWord(node.replace(/\/$/, '') + path)}`;
}

/** As docs/elasticsearch.md has it for a sink. */
function newKey({ dataStream }: Places): string {
  const indices = [{ names: [dataStream], privileges: ['create_doc', 'auto_configure'] }];
  return JSON.stringify({
    name: 'hotitem-sink',
    expiration: '365d',
    role_descriptors: { sink: { indices } },
  });
}
