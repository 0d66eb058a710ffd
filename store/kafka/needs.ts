import type { Needs } from './error.ts';

export function needsToWrite(topic: string): Needs {
  return { topic: `Write and Describe on topic ${topic}` };
}

export function needsToRead(topic: string, group: string): Needs {
  return { topic: `Read and Describe on topic ${topic}`, group: `Read and Describe on group ${group}` };
}

export const NEEDS_OF_SETUP: Needs = {
  cluster: 'Create on the cluster',
  topic: 'Describe, DescribeConfigs and AlterConfigs on the topics',
};
