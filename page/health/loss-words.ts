const WORDS: Record<string, string> = {
  nginx_dropped: 'nginx could not write them to the spill folder',
  nginx_missing: 'nginx captured them, and they never arrived',
  sampled_out: 'not kept while the spool was full; counts are right on average',
  spool_damaged: 'a part of the spool is damaged',
  removed: 'Kafka deleted them before they were read',
  dead_letters_rolled: 'old dead letters were deleted',
};

/** Why views were lost, in short; `hotitem status` says what to do. */
export function lossWords(reason: string): string {
  return Object.hasOwn(WORDS, reason) ? (WORDS[reason] ?? reason) : reason;
}
