type Words = { why: string; fix: string };

const WORDS: Record<string, Words> = {
  nginx_dropped: {
    why: 'nginx could not spill them: the spill folder was full, or its workers could not write to it',
    fix: 'hotitem check --nginx names a missing permission; otherwise raise spill.max_bytes, or keep the sidecar running',
  },
  nginx_missing: {
    why: 'nginx captured them, but they never arrived: it could not write to the spill folder, or was killed',
    fix: "hotitem check --nginx says why nginx's workers cannot use the socket and the spill folder",
  },
  sampled_out: {
    why: 'load shedding dropped them while the spool filled up; the weights of other events include them',
    fix: 'restore Kafka or the index, or raise spool.max_bytes',
  },
  spool_damaged: {
    why: 'a part of the spool is damaged and cannot be read',
    fix: 'check the disk: dmesg, smartctl; hotitem verify names the gaps',
  },
  removed: {
    why: "Kafka's retention deleted them before a sink had read them",
    fix: 'run more sinks, or raise kafka.retention_hours and run hotitem setup',
  },
  dead_letters_rolled: {
    why: 'dead letters filled two files and the older one was deleted',
    fix: 'hotitem dead-letters list shows them; replay or purge them before the files are full',
  },
};

/** Why views are lost and what to do, by the name of the counter. */
export function lossWords(reason: string): Words {
  return Object.hasOwn(WORDS, reason)
    ? (WORDS[reason] as Words)
    : { why: reason, fix: 'see the log of the sidecar' };
}
