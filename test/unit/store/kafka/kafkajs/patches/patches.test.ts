import { describe, expect, test } from '@jest/globals';
import {
  kafkajsVersion,
  replaceKafkajsModule,
} from '../../../../../../store/kafka/kafkajs/patches/module.ts';
import { patchKafkajs } from '../../../../../../store/kafka/kafkajs/patches/patches.ts';

test('every patch applies to the installed kafkajs, also the second time', () => {
  expect(patchKafkajs()).toEqual([]);
  expect(patchKafkajs()).toEqual([]);
});

test('another version of kafkajs is rejected, naming both versions', () => {
  expect(() => patchKafkajs({}, '2.2.5')).toThrow(
    'kafkajs 2.2.5 is installed, but hotitem patches the internals of 2.2.4',
  );
});

test('a patch that does not apply is named, and the others are applied', () => {
  const applied: string[] = [];
  const patch = (name: string, isInPlace: boolean) => () => {
    applied.push(name);
    return isInPlace;
  };
  const patches = { 'first holds': patch('first', false), 'second holds': patch('second', true) };

  expect(patchKafkajs(patches, kafkajsVersion())).toEqual(['first holds']);
  expect(applied).toEqual(['first', 'second']);
});

describe('a file of kafkajs is not replaced', () => {
  test('if it does not exist', () => {
    expect(replaceKafkajsModule('no/such/file', () => 'mine')).toBe(false);
  });

  test('if its exports are not what the patch expects', () => {
    expect(replaceKafkajsModule('constants', () => undefined)).toBe(false);
    expect(replaceKafkajsModule('constants', () => 'asked again')).toBe(false);
  });
});
