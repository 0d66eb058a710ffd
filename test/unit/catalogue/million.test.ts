import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { loadCatalogue } from '../../../catalogue/load.ts';
import { FULL } from '../../parts/full.ts';
import { temporaryFolder } from '../../parts/guard.ts';

jest.setTimeout(600_000);

const ROWS = 1_000_000;
const MIB = 1024 * 1024;
const whenFull = FULL ? describe : describe.skip;

whenFull('a million items', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let path: string;
  beforeAll(async () => {
    folder = temporaryFolder('million');
    path = join(folder.path, 'catalogue.csv');
    await writeRows();
  });
  afterAll(() => folder.remove());

  test('take 105 MB, as docs/catalogue.md says, and not much more while they are loaded', async () => {
    const before = process.memoryUsage.rss();
    let most = before;
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 100);
    const { items, rejected } = await loadCatalogue({
      path,
      columns: {
        id: 'id',
        name: 'name',
        category: 'category',
        price: 'price',
        stock: 'stock',
        image: 'image',
      },
      imageHosts: ['img.example.com'],
      mostBytes: 256 * MIB,
    });
    clearInterval(timer);
    expect([items.rows, rejected]).toEqual([ROWS, 0]);
    expect(items.bytes / MIB).toBeLessThan(106);
    expect((most - before) / MIB).toBeLessThan(250);
    for (const i of [0, 1, 499_999, ROWS - 1])
      expect(items.get(String(100_000 + i))).toMatchObject({ name: `Running shoe model ${i}, blue` });
    expect(items.has('99999')).toBe(false);
  });

  async function writeRows(): Promise<void> {
    const out = createWriteStream(path);
    out.write('id,name,category,price,stock,image\n');
    for (let from = 0; from < ROWS; from += 10_000) {
      const rows = Array.from({ length: 10_000 }, (_, i) => rowOf(from + i)).join('');
      if (!out.write(rows)) await once(out, 'drain');
    }
    out.end();
    await once(out, 'finish');
  }
});

function rowOf(i: number): string {
  const id = 100_000 + i;
  return `${id},"Running shoe model ${i}, blue",Shoes / Sport ${i % 300},${(i % 20_000) / 100} EUR,${i % 900},https://img.example.com/p/${id}/main.jpg\n`;
}
