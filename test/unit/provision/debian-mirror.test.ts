import { expect, test } from '@jest/globals';
import { fromDeb822, fromOneLine, mirrorOf } from '../../../provision/debian-mirror.ts';

test.each([
  ['one line', 'deb http://mirror.example/debian bookworm main contrib'],
  ['options', 'deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian trixie main'],
  ['a comment after it', 'deb http://mirror.example/debian stable main # the mirror'],
  [
    'security first',
    'deb http://security.example/s bookworm-security main\ndeb http://mirror.example/debian bookworm main',
  ],
  [
    'backports first',
    'deb http://b.example/b bookworm-backports main\ndeb http://mirror.example/debian sid main',
  ],
  [
    'old security first',
    'deb http://security.example/s bullseye/updates main\ndeb http://mirror.example/debian sid main',
  ],
  [
    'another archive first',
    'deb http://tools.example nodistro main\ndeb http://mirror.example/debian sid main',
  ],
  [
    'sources first',
    'deb-src http://source.example/debian sid main\ndeb http://mirror.example/debian sid main',
  ],
  [
    'a disabled one first',
    '# deb http://off.example/debian sid main\ndeb http://mirror.example/debian sid main',
  ],
  ['a disc first', 'deb cdrom:[Debian]/ bookworm main\ndeb http://mirror.example/debian bookworm main'],
])('the mirror is found in a sources.list with %s', (_, text) => {
  expect(mirrorOf(fromOneLine(text))).toBe('http://mirror.example/debian');
});

test.each([
  [
    'one stanza',
    'Types: deb deb-src\nURIs: https://mirror.example/debian\nSuites: trixie trixie-updates\nComponents: main',
  ],
  [
    'a comment within',
    'Types: deb\n# the old one\nURIs: https://mirror.example/debian\nSuites: trixie\nComponents: main',
  ],
  [
    'values over lines',
    'Types: deb\nURIs:\n https://mirror.example/debian\nSuites: trixie\nComponents:\n main\n contrib',
  ],
  [
    'fields in lower case',
    'types: deb\nuris: https://mirror.example/debian\nsuites: trixie\ncomponents: main',
  ],
  [
    'security first',
    'Types: deb\nURIs: https://s.example\nSuites: trixie-security\nComponents: main\n\nTypes: deb\nURIs: https://mirror.example/debian\nSuites: trixie\nComponents: main\n',
  ],
  [
    'a disabled stanza first',
    'Enabled: no\nTypes: deb\nURIs: https://s.example\nSuites: trixie\nComponents: main\n\nTypes: deb\nURIs: https://mirror.example/debian\nSuites: trixie\nComponents: main\n',
  ],
])('the mirror is found in a .sources file with %s', (_, text) => {
  expect(mirrorOf(fromDeb822(text))).toBe('https://mirror.example/debian');
});

test('a list of mirrors, as in cloud images, is used unchanged', () => {
  const text =
    'Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: trixie\nComponents: main';
  expect(mirrorOf(fromDeb822(text))).toBe('mirror+file:///etc/apt/mirrors/debian.list');
});

test("another distribution's archive is not a mirror of Debian", () => {
  expect(mirrorOf(fromOneLine('deb http://archive.example/ubuntu noble main universe'))).toBeUndefined();
});
