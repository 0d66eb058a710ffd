/** Takes one line for people about what is being done, without a newline. */
export type Report = (line: string) => void;
