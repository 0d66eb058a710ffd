export type Flags = Record<string, string | boolean | undefined>;

export type CommandContext = {
  flags: Flags;
  positionals: string[];
  env: Record<string, string | undefined>;
};

export type CommandOption = {
  type: 'string' | 'boolean';
  about: string;
  placeholder?: string;
  /** May be repeated; the values are joined with commas. */
  multiple?: true;
};

/** One or two words after `hotitem`. */
export type Command = {
  /** Its description, in one line. */
  about: string;
  /** Its own flags, without the dashes. */
  options: Record<string, CommandOption>;
  /** What its first argument may be, for shell completion; absent if that is free text. */
  words?: readonly string[];
  /** Whether it also accepts the configuration: `--config` and a flag for each setting. */
  configured: boolean;
  /** Its help explains every setting; that of other configured commands names one that does. */
  explainsSettings?: true;
  /** Returns the exit status. Throws `Trouble`, `ConfigError` or `UsageError`. */
  run(context: CommandContext): Promise<number>;
};
