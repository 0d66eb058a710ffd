export type SampleView = { msec?: string; id?: string; item?: number; ip?: string; browser?: number };
export function sampleLine(i: number, view?: SampleView): string;
