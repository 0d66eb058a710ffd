import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadCatalogue } from '../../../catalogue/load.ts';
import { type CatalogueWatch, watchCatalogue } from '../../../catalogue/watch.ts';
import { temporaryFolder } from '../../parts/guard.ts';

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
let watch: CatalogueWatch;
let said: string[];

beforeEach(() => {
  folder = temporaryFolder('catalogue-watch');
  path = join(folder.path, 'catalogue.csv');
  said = [];
});
afterEach(async () => {
  await watch.close();
  folder.remove();
});

describe('the file of a catalogue', () => {
  test('is loaded at the start, and when it has been replaced', async () => {
    writeFileSync(path, 'id,name\n1,Old\n');
    await start();
    expect([name(), watch.failure()]).toEqual(['Old', undefined]);
    writeFileSync(`${path}.new`, 'id,name\n1,New\n');
    renameSync(`${path}.new`, path);
    await settle();
    expect(name()).toBe('New');
    expect(said).toEqual(['loaded 1', 'loaded 1']);
  });

  test('is loaded once it is unchanged: an export may write for a while', async () => {
    writeFileSync(path, 'id,name\n1,Old\n');
    await start();
    writeFileSync(path, 'id,name\n1,Half\n');
    await watch.look();
    writeFileSync(path, 'id,name\n1,Whole\n2,Other\n');
    await watch.look();
    expect(name()).toBe('Old');
    await watch.look();
    expect(name()).toBe('Whole');
  });

  test.each([
    ['half-written', 'id,name\n1,New\n2,Ot'],
    ['empty', ''],
    ['something else', '<html>502 Bad Gateway</html>\n'],
  ])('that is %s changes nothing, is said once, and does well later', async (_, text) => {
    writeFileSync(path, 'id,name\n1,Old\n');
    await start();
    writeFileSync(path, text);
    await settle();
    await settle();
    expect([name(), watch.failure()]).toEqual(['Old', expect.any(String)]);
    expect(said).toEqual(['loaded 1', `failed ${watch.failure()}`]);
    writeFileSync(path, 'id,name\n1,New\n');
    await settle();
    expect([name(), watch.failure()]).toEqual(['New', undefined]);
  });

  test('that is removed changes nothing', async () => {
    writeFileSync(path, 'id,name\n1,Old\n');
    await start();
    rmSync(path);
    await settle();
    expect([name(), watch.failure()]).toEqual(['Old', expect.stringMatching('ENOENT')]);
  });

  test.each(['EMFILE', 'EIO', 'ESTALE'])('is read again after %s, which is said once', async (code) => {
    writeFileSync(path, 'id,name\n1,Old\n');
    let failing = true;
    watch = watchCatalogue({
      ...options(),
      async load(...given) {
        if (failing) throw Object.assign(new Error(`${code}: open`), { code });
        return loadCatalogue(...given);
      },
    });
    await watch.tried;
    await settle();
    expect([watch.failure(), said]).toEqual([`${code}: open`, [`failed ${code}: open`]]);
    failing = false;
    await watch.look();
    expect([name(), watch.failure()]).toEqual(['Old', undefined]);
    await settle();
    expect(said).toEqual([`failed ${code}: open`, 'loaded 1']);
  });

  test('is being loaded after a start, which is no failure', async () => {
    writeFileSync(path, 'id,name\n1,Old\n');
    watch = watchCatalogue(options());
    expect([watch.loading(), watch.failure()]).toEqual([true, undefined]);
    await watch.tried;
    expect(watch.loading()).toBe(false);
  });

  test('may come later', async () => {
    await start();
    expect([watch.loaded(), watch.failure()]).toEqual([undefined, expect.stringMatching('ENOENT')]);
    writeFileSync(path, 'id,name\n1,New\n');
    await settle();
    expect(name()).toBe('New');
  });

  test('that is being loaded does not delay a stop', async () => {
    writeFileSync(path, `id,name\n${Array.from({ length: 50_000 }, (_, i) => `${i},x\n`).join('')}`);
    watch = watchCatalogue(options());
    await watch.close();
    expect(watch.loaded()).toBeUndefined();
    expect(said).toEqual([]);
  });
});

function name(): string | undefined {
  return watch.loaded()?.items.get('1')?.name;
}

async function start(): Promise<void> {
  watch = watchCatalogue(options());
  await watch.tried;
}

/** It is read at the second look that finds it changed. */
async function settle(): Promise<void> {
  await watch.look();
  await watch.look();
}

function options() {
  return {
    path,
    columns: { id: 'id', name: 'name', category: 'category', price: 'price', stock: 'stock', image: 'image' },
    imageHosts: [],
    mostBytes: 8 * 1024 * 1024,
    onLoaded: ({ items }: { items: { rows: number } }) => void said.push(`loaded ${items.rows}`),
    onFailure: (reason: string) => void said.push(`failed ${reason}`),
    // Looked at when the test says so.
    everyMs: 3_600_000,
  };
}
