// The periodic handlers, in a script of their own: see main.ts.
import { flush } from './flush.ts';
import { hold } from './hold.ts';
import { poll } from './poll.ts';
import { limitSpill } from './spill-limit.ts';

export default { flush, hold, poll, limitSpill };
