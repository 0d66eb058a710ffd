/** Reports progress to people: one line, without a newline. */
export type Report = (line: string) => void;
