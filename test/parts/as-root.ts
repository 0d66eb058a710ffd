import { test } from '@jest/globals';
import { CAN_BE_ANOTHER } from './attacker.ts';

/** Who is not root cannot become another user: these tests are skipped. */
export const testAsRoot = CAN_BE_ANOTHER ? test : test.skip;
