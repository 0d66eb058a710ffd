// Only what each view needs: the njs engine sets up the whole script for each request. js_set and similar directives can only name members
// of the default export.
import { batch } from './batch.ts';
import { count } from './count.ts';
import { cutOff } from './cut-off.ts';
import { spillShut } from './spill-gate.ts';
import { subrequest } from './subrequest.ts';

export default { subrequest, batch, count, cutOff, spillShut };
