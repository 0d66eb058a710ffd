import type { Finding } from '../service/finding.ts';

type Cause = Pick<Finding, 'id' | 'why' | 'fix'> & { command?: string };

/** What Kafka's and Elasticsearch's own words stand for, where somebody can do something about it. */
const CAUSES: [RegExp, Cause][] = [
  [
    /refuses the login \(401\)/,
    {
      id: 'index-login',
      why: 'the API key is expired, revoked or wrong, or the password is: nothing is indexed, and waits',
      fix: 'make a new key (docs/elasticsearch.md), put its `encoded` into the file of elasticsearch.api_key, restart the sink',
      command:
        "curl -u elastic -H 'content-type: application/json' \"$ELASTICSEARCH_NODE/_security/api_key\" -d '" +
        '{"name":"hotitem-sink","expiration":"365d","role_descriptors":{"sink":{"indices":[{"names":["hot_item"],"privileges":["create_doc","auto_configure"]}]}}}' +
        "' && systemctl restart hotitem-sink",
    },
  ],
  [
    /flood-stage watermark|disk usage exceeded/i,
    {
      id: 'index-disk-full',
      why: 'a node of Elasticsearch has hardly any disk left and takes nothing; events wait',
      fix: 'make room on its data disk, or shorten elasticsearch.retention_days and run hotitem setup --yes',
      command: 'curl -u elastic "$ELASTICSEARCH_NODE/_cat/allocation?v"',
    },
  ],
  [
    /no data stream .* and no template|is not a data stream|does not have the mapping of hotitem/,
    {
      id: 'index-not-set-up',
      why: 'without its template the index would misread events, so none is sent',
      fix: 'make the template and the data stream',
      command: 'hotitem setup',
    },
  ],
  [
    /message\.timestamp|INVALID_TIMESTAMP|timestamp of the message is out of acceptable range/i,
    {
      id: 'clock',
      why: 'Kafka refuses what is stamped too far from its own time (message.timestamp.after.max.ms)',
      fix: 'set the clock of this host, or of the brokers, right',
      command: 'timedatectl set-ntp true',
    },
  ],
  [
    /EACCES: permission denied, open/,
    {
      id: 'certificate-unreadable',
      why: 'a file that the configuration names cannot be read by whoever runs this',
      fix: 'let the group of the service read it; hotitem doctor, as root, prints how',
      command: 'hotitem doctor',
    },
  ],
  [
    /no space left on device|ENOSPC/i,
    {
      id: 'disk-full',
      why: 'nothing can be written there; nginx spills, or drops what it would spill',
      fix: 'make room on that disk, or lower spool.max_bytes and spill.max_bytes',
      command: 'du -xh --max-depth=2 /var | sort -h | tail -n 20',
    },
  ],
];

/** The cause in the words of somebody else; undefined where they say nothing that is known. */
export function knownCause(text: string): Cause | undefined {
  return CAUSES.find(([words]) => words.test(text))?.[1];
}
