import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { obstacle } from '../../../../nginx-setup/conf/worker.ts';
import { temporaryFolder } from '../../../parts/guard.ts';

const OWNER = process.getuid?.() ?? 0;
const GROUP = process.getgid?.() ?? 0;
const OTHER = { uid: 54321, gids: [54321] };
const MEMBER = { uid: 54321, gids: [54321, GROUP] };
const SELF = { uid: OWNER === 0 ? 54322 : OWNER, gids: [54322] };

describe('what denies a worker access to a file', () => {
  const { path: folder, remove } = temporaryFolder('worker');
  afterAll(remove);
  const inner = join(folder, 'inner');
  const file = join(inner, 'file');
  mkdirSync(inner);
  writeFileSync(file, '');

  test.each([
    ['nothing where all may', 0o755, 0o755, 0o666, OTHER, undefined],
    ['its mode, for others', 0o755, 0o755, 0o660, OTHER, file],
    ['nothing for the group', 0o755, 0o755, 0o660, MEMBER, undefined],
    ['a folder above', 0o755, 0o750, 0o666, OTHER, inner],
    ['the folder furthest up or nearest', 0o700, 0o700, 0o666, OTHER, inner],
    ['nothing for root', 0o700, 0o700, 0o600, { uid: 0, gids: [0] }, undefined],
  ])('%s', async (_, outerMode, innerMode, fileMode, ids, path) => {
    chmodSync(folder, outerMode);
    chmodSync(inner, innerMode);
    chmodSync(file, fileMode);
    const found = await obstacle(ids, file, ['write']);
    if (path === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(`${path} (uid ${OWNER}, gid ${GROUP}, mode 0`);
  });

  test("only the owner's bits count for the owner", async () => {
    chmodSync(folder, 0o755);
    chmodSync(inner, 0o755);
    if (OWNER === 0) chownSync(file, SELF.uid, -1);
    chmodSync(file, 0o466);
    expect(await obstacle(SELF, file, ['write'])).toContain('mode 0466');
  });
});
