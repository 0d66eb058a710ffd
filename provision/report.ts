/** Reports progress to people: one line, without a newline. */
export type Report = (line: string) => void;

/** Called when a download begins. Shows how far it is, in bytes, in a line of its own; it is erased in the end. */
export type Downloading = () => { show(done: number, of: number): void; end(): void };
