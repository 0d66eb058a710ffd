/** The fields of a line that are kept as spans of bytes: indexes of `begin`, `end` and `odd` of a `Line`. */
export const IP = 0;
export const METHOD = 1;
export const HOST = 2;
export const PATH = 3;
export const ARGS = 4;
export const ITEM = 5;
export const REF = 6;
export const PURPOSE = 7;
export const VISITOR = 8;
export const UA = 9;
export const SPANS = 10;
