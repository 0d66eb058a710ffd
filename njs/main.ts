// What nginx may call: js_set, js_periodic and their kin can name the members of the default export, nothing else.
import { batch } from './batch.ts';
import { count } from './count.ts';
import { flush } from './flush.ts';
import { poll } from './poll.ts';
import { limitSpill } from './spill-limit.ts';
import { subrequest } from './subrequest.ts';

export default { subrequest, batch, count, flush, poll, limitSpill };
