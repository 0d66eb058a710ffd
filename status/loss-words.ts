type Words = { why: string; fix: string };

const WORDS: Record<string, Words> = {
  nginx_dropped: {
    why: 'nginx could not spill them: the spill folder was full, or its workers may not write to it',
    fix: 'hotitem check --nginx names a missing permission; else raise spill.max_bytes, or keep the sidecar running',
  },
  nginx_missing: {
    why: 'nginx captured them and they arrived nowhere: it could not write the spill folder, or was killed',
    fix: "hotitem check --nginx names what keeps nginx's workers from the socket and the spill folder",
  },
  sampled_out: {
    why: 'not kept while the spool filled; the weights of others stand for them',
    fix: 'bring back what the spool waits for, or raise spool.max_bytes',
  },
  spool_damaged: {
    why: 'the spool cannot be read there any more',
    fix: 'look at the disk: dmesg, smartctl; hotitem verify names the gaps',
  },
  removed: {
    why: "Kafka's retention removed them before a sink had read them",
    fix: 'run more sinks, or raise kafka.retention_hours and run hotitem setup',
  },
  dead_letters_rolled: {
    why: 'dead letters filled two files and the older one was deleted',
    fix: 'hotitem dead-letters list says what they are; replay or purge them before the files fill',
  },
};

/** Why views are lost and what to do, by the name of their counter. */
export function lossWords(reason: string): Words {
  return Object.hasOwn(WORDS, reason)
    ? (WORDS[reason] as Words)
    : { why: reason, fix: 'the log of the sidecar says more' };
}
