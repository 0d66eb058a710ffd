// What a view needs, and no more: the njs engine sets up the whole script for each one.
// js_set and its kin can name the members of the default export, nothing else.
import { batch } from './batch.ts';
import { count } from './count.ts';
import { cutOff } from './cut-off.ts';
import { spillShut } from './spill-gate.ts';
import { subrequest } from './subrequest.ts';

export default { subrequest, batch, count, cutOff, spillShut };
