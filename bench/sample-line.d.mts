export function sampleLine(i: number): string;
