import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const TEXTS = ['README.md', ...markdownBelow('docs')];
/** Rooms of the program. */
const ROOMS = roomsOf('tsconfig.json').filter((room) => room !== 'test' && room !== 'bench');

describe('a text about the sources names files that exist', () => {
  test.each(TEXTS)('%s', (text) => {
    const named = [...read(text).matchAll(/`([\w./-]+\.(?:ts|mjs|conf))`/g)].map(([, path = '']) => path);
    const inARoom = named.filter((path) =>
      [...ROOMS, 'test', 'bench', 'njs', 'nginx'].includes(path.split('/')[0] ?? ''),
    );

    expect(
      inARoom.filter((path) => path.includes('/') && !path.includes('NAME') && !existsSync(join(ROOT, path))),
    ).toEqual([]);
  });
});

describe('every room', () => {
  test.each(ROOMS)('%s has a line in docs/architecture.md', (room) => {
    expect(read('docs/architecture.md')).toMatch(new RegExp(`^${room}/ `, 'm'));
  });

  // `cli` is above all others.
  test.each(ROOMS.filter((room) => room !== 'cli'))('biome.rooms.json lists the imports of %s', (room) => {
    const { overrides }: { overrides: { includes: string[] }[] } = JSON.parse(read('biome.rooms.json'));
    const named = overrides.flatMap(({ includes }) => includes);

    expect(named.some((glob) => glob === `${room}/**` || glob === `${room}/*.ts`)).toBe(true);
  });

  test.each([...ROOMS, 'nginx', 'njs', 'page'])('%s is in the image', (room) => {
    expect(read('.dockerignore').split('\n')).toContain(`!${room}`);
  });
});

test('every file that the image copies exists', () => {
  const copies = [...read('deploy/Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)];
  const sources = copies.flatMap(([, paths = '']) => paths.split(' '));

  expect(sources.length).toBeGreaterThan(3);
  expect(sources.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

function roomsOf(file: string): string[] {
  const { include }: { include: string[] } = JSON.parse(read(file));
  return include;
}

function markdownBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
