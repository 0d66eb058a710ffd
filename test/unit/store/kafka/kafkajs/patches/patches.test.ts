import { describe, expect, test } from '@jest/globals';
import {
  kafkajsVersion,
  replaceKafkajsModule,
} from '../../../../../../store/kafka/kafkajs/patches/module.ts';
import { patchKafkajs } from '../../../../../../store/kafka/kafkajs/patches/patches.ts';

test('every patch is in place in the kafkajs that is installed, and stays there', () => {
  expect(patchKafkajs()).toEqual([]);
  expect(patchKafkajs()).toEqual([]);
});

test('another version of kafkajs is refused, by both versions', () => {
  expect(() => patchKafkajs({}, '2.2.5')).toThrow(
    'kafkajs 2.2.5 is installed, but hotitem patches the internals of 2.2.4',
  );
});

test('a patch that is not in place is named, and the others are put in place', () => {
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
  test('where there is none', () => {
    expect(replaceKafkajsModule('no/such/file', () => 'mine')).toBe(false);
  });

  test('where it exports something else than the patch knows', () => {
    expect(replaceKafkajsModule('constants', () => undefined)).toBe(false);
    expect(replaceKafkajsModule('constants', () => 'asked again')).toBe(false);
  });
});
