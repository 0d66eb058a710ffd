import { test } from '@jest/globals';
import { CAN_BE_ANOTHER } from './attacker.ts';

/** Only root can switch users: without it these tests are skipped. */
export const testAsRoot = CAN_BE_ANOTHER ? test : test.skip;
