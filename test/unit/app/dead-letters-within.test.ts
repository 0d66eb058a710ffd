import { describe, expect, test } from '@jest/globals';
import { kindOf } from '../../../app/dead-letters-within.ts';

describe('the reasons of dead letters', () => {
  test.each([
    ['ip: must be an address (got "203.0.113.7")', 'ip: must be an address'],
    [
      "document_parsing_exception: [1:310] failed to parse field [client.ip] of type [ip] in document with id '019a'. Preview of field's value: '203.0.113.7'",
      'document_parsing_exception: failed to parse field [client.ip] of type [ip]',
    ],
    [
      "document_parsing_exception: [1:9] failed to parse field [x] of type [long]. Preview of field's value: 'a\nb'",
      'document_parsing_exception: failed to parse field [x] of type [long]',
    ],
    ['x'.repeat(500), 'x'.repeat(200)],
  ])('are without what they quote of visitors: %j', (reason, kind) => {
    expect(kindOf(reason)).toBe(kind);
  });
});
