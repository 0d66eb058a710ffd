/** One line of a table: its name, then figures whose names end in their unit. */
export type Case = { case: string } & Record<string, string | number>;

export type Table = { title: string; cases: Case[] };

/** What an issue asked for, and what came out: `{target: 'p99 < 1000 ms', measured: 412, reached: true}`. */
export type Target = { target: string; measured: number; reached: boolean };

export type Outcome = { tables: Table[]; targets: Target[]; notes?: string[] };

export type BenchOptions = {
  /** Tells people what goes on. */
  report: (line: string) => void;
  /** One short round: whether it runs, not what comes out. */
  quick: boolean;
  /** Whether a part of the bench is run, by its name. */
  isWanted: (part: string) => boolean;
};

export type Bench = {
  /** What it measures, in a line. */
  about: string;
  run(options: BenchOptions): Promise<Outcome>;
};
