/** One line of a bench's table: its name, then figures whose names end in their unit. */
export type Case = { case: string } & Record<string, string | number>;

/** What an issue asked for, and what came out: `{target: 'p99 < 1000 ms', measured: 412, reached: true}`. */
export type Target = { target: string; measured: number; reached: boolean };

export type Outcome = { cases: Case[]; targets: Target[]; notes?: string[] };

export type Bench = {
  /** What it measures, in a line. */
  about: string;
  run(report: (line: string) => void): Promise<Outcome>;
};
