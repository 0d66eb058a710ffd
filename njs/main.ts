// What nginx may call: js_set and its kin can name the members of the default export, nothing else.
import { subrequest } from './subrequest.ts';

export default { subrequest };
