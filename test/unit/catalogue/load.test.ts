import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type CatalogueOptions, loadCatalogue } from '../../../catalogue/load.ts';
import { createCsvReader } from '../../../catalogue/read-csv.ts';
import { runs } from '../../parts/full.ts';
import { temporaryFolder } from '../../parts/guard.ts';

const COLUMNS = {
  id: 'id',
  name: 'name',
  category: 'category',
  price: 'price',
  stock: 'stock',
  image: 'image',
};
const MIB = 1024 * 1024;
const QUOTE = 'a quote inside a field must be doubled, and the field be in quotes';

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder('catalogue');
});
afterAll(() => folder.remove());

describe('a catalogue in CSV', () => {
  test('is read by its headings, in any order and case, with columns that mean nothing here', async () => {
    const found = await load(
      'Colour,NAME,"Id",stock\r\nred,"Shoe, ""fast""\r\nand light",4711,3\r\n\r\nblue,Hat,0815,\r\n',
    );
    expect([found.items.rows, found.rejected]).toEqual([2, 0]);
    expect(found.items.get('4711')).toEqual({ name: 'Shoe, "fast" and light', stock: 3 });
    expect(found.items.get('0815')).toEqual({ name: 'Hat' });
  });

  test.each([';', '\t', '|'])('may have %j between its fields', async (delimiter) => {
    const found = await load(`id${delimiter}name\n1${delimiter}Shoe, red\n`);
    expect(found.items.get('1')).toEqual({ name: 'Shoe, red' });
  });

  test('may have other headings, and a byte order mark', async () => {
    const columns = { ...COLUMNS, id: 'SKU', name: 'Title' };
    const found = await load('\ufeffsku,title,id\n4711,Shoe,9\n', { columns });
    expect(found.items.get('4711')).toEqual({ name: 'Shoe' });
  });

  // A heading that was cut at its delimiter gave each item the values of another column, without a word.
  test.each([
    ['id,"Price, gross",name,stock', '1,9.99,Shoe,7'],
    ['"id";"Preis; ""brutto""";"name";"stock"', '"1";"9,99";"Shoe";"7"'],
    ['id\t"Price\tgross"\tname\tstock', '1\t9.99\tShoe\t7'],
    ['id , "Price, gross" , name , stock', '1,9.99,Shoe,7'],
    ['"id","Price\r\n(EUR, gross)","name",stock', '1,9.99,Shoe,7'],
    ['id,27" size,name,stock', '1,x,Shoe,7'],
    ['x,"",id,,name,stock', '1,,1,,Shoe,7'],
  ])('with a delimiter, a quote or a line break in a heading keeps its columns: %j', async (header, row) => {
    const delimiter = row.includes(';') ? ';' : row.includes('\t') ? '\t' : ',';
    for (const end of ['\n', '\r\n']) {
      const bad = delimiter.repeat(row.split(delimiter).length - 1);
      const found = await load(`${header}${end}${row}${end}${bad}7${end}`);
      expect(found.items.get('1')).toEqual({ name: 'Shoe', stock: 7 });
      expect(found.badRows).toEqual([{ line: header.split('\n').length + 2, problem: 'id: is empty' }]);
    }
  });

  test('has a heading with a line break named as on one line', async () => {
    const columns = { ...COLUMNS, price: 'Price (EUR)' };
    const found = await load('id,name,"Price\n(EUR)"\n1,Shoe,9.99 EUR\n', { columns });
    expect(found.items.get('1')).toEqual({ name: 'Shoe', price: '9.99 EUR' });
  });

  test.each(['id,"name\n1,a\n2,b\n', `id,"name\n${'1,a\n'.repeat(30)}`])(
    'with a quote in its header that is not closed says so',
    async (text) => {
      await expect(load(text)).rejects.toThrow(/line 1: a quote (?:of the header )?is not closed/);
    },
  );

  test('whose lines end with CR alone says so', async () => {
    for (const text of ['id,name\r1,a\r2,b\r', 'id,name\r1,a\r2,b', `id,name\r${'1,a\r'.repeat(200_000)}`])
      await expect(load(text)).rejects.toThrow('its lines end with CR alone: save it with LF or CR LF');
  });

  test('may have spaces around its quotes, and lines of spaces', async () => {
    const found = await load('id , name\n  \n1 , "Shoe, ""red"" " \n2, Hat\n, "no id"\n');
    expect([found.items.get('1'), found.items.get('2')]).toEqual([{ name: 'Shoe, "red"' }, { name: 'Hat' }]);
    expect(found.badRows).toEqual([{ line: 5, problem: 'id: is empty' }]);
  });

  test('has each bad row named by its line, and the others are there', async () => {
    const found = await load('id,name,stock\n1,a,1\n,b,2\n"3","c\nc",x\n4,d,4\n1,e,5\n6,f,6\n');
    expect(found.badRows).toEqual([
      { line: 3, problem: 'id: is empty' },
      { line: 4, problem: 'stock: must be a whole number (got "x")' },
      { line: 7, problem: 'id: "1" is in the file already; the first row counts' },
    ]);
    expect([found.rejected, found.items.rows]).toEqual([3, 3]);
    expect([found.items.has('4'), found.items.has('6')]).toEqual([true, true]);
  });

  // The rest of a name was taken for the category.
  test('has each row with too many fields named by its line; empty ones at the end are none', async () => {
    const found = await load('id,name,category\n1,Shoe, blue,Shoes\n2,Hat,Hats,,\n3,Mug\n');
    expect(found.badRows).toEqual([
      { line: 2, problem: 'has more fields than the header (4, not 3): a field with "," must be in quotes' },
    ]);
    expect([found.items.get('2'), found.items.get('3')]).toEqual([
      { name: 'Hat', category: 'Hats' },
      { name: 'Mug' },
    ]);
  });

  test('may have texts as they are written for a spreadsheet, which keeps their zeros', async () => {
    const found = await load('id;name\n="0815";Mug\n"=""0816""";"=""1/2"""\n="";None\n');
    expect([found.items.get('0815'), found.items.get('0816')]).toEqual([{ name: 'Mug' }, { name: '1/2' }]);
    expect(found.badRows).toEqual([{ line: 4, problem: 'id: is empty' }]);
  });

  // The parser itself swallows rows up to the next quote.
  test.each([
    ['3,"Foo', 4, QUOTE],
    ['3,abc "x, y"', 4, QUOTE],
    ['3,"13" screen"', 4, QUOTE],
    ['3,"x"y', 4, QUOTE],
    ['"3,x', 4, QUOTE],
  ])('with a broken quote in %s loses that row only', async (row, line, problem) => {
    const found = await load(`id,name\n1,"a\na"\n${row}\n4,b\n5,"c"\n6,"d ""d"""\n7,e\n`);
    expect(found.badRows).toEqual([{ line, problem }]);
    expect(['1', '3', '4', '5', '6', '7'].filter((id) => found.items.has(id))).toEqual([
      '1',
      '4',
      '5',
      '6',
      '7',
    ]);
  });

  test('may have quotes in fields without quotes, such as inch marks, in every row', async () => {
    const rows = Array.from({ length: 2_000 }, (_, i) => `${i},27" monitor,5' 11" x\n`).join('');
    const found = await load(
      `id,name,category\n${rows}a,27" wide,"Big, ""flat"""\nb,"""Best"", ever",\nc,"""",\n`,
    );
    expect([found.badRows, found.items.rows]).toEqual([[], 2_003]);
    expect(found.items.get('1999')).toEqual({ name: '27" monitor', category: `5' 11" x` });
    expect(found.items.get('a')).toEqual({ name: '27" wide', category: 'Big, "flat"' });
    expect(found.items.get('b')).toEqual({ name: '"Best", ever' });
    expect(found.items.get('c')).toEqual({ name: '"' });
  });

  test.each(['\n', '\r\n \n', 'sep=;\r\n', '"sep=;"\n\n'])(
    'may have %j before its header',
    async (before) => {
      const found = await load(`${before}id;name\n1;a\n;b\n`);
      expect(found.items.get('1')).toEqual({ name: 'a' });
      expect(found.badRows).toEqual([{ line: before.split('\n').length + 2, problem: 'id: is empty' }]);
    },
  );

  test('without a column that the configuration names says which', async () => {
    const columns = { ...COLUMNS, name: 'titel' };
    await expect(load('id,title\n1,a\n', { columns })).rejects.toThrow(
      'line 1: the header has no column "titel" (got "id,title"): catalogue.columns.name sets another name',
    );
  });

  test('with more categories than can be numbered says so', async () => {
    // In NDJSON, which is read faster.
    const rows = Array.from({ length: 65_536 }, (_, i) => `{"id":${i},"category":"c${i}"}\n`).join('');
    await expect(load(rows)).rejects.toThrow(/^line 65536: has more than 65535 categories$/);
  });

  test.each([
    ['UTF-16LE', Buffer.from('\ufeffid,name\n1,a\n', 'utf16le')],
    ['UTF-16LE without a byte order mark', Buffer.from('id,name\n1,a\n', 'utf16le')],
    ['UTF-16BE', Buffer.from('\ufeffid,name\n1,a\n', 'utf16le').swap16()],
    ['UTF-16BE without a byte order mark', Buffer.from('id,name\n1,a\n', 'utf16le').swap16()],
  ])('in %s says so', async (_, bytes) => {
    await expect(load(bytes)).rejects.toThrow('is UTF-16: save it as UTF-8');
  });

  test('whose last quote is not closed loses that row only', async () => {
    const found = await load('id,name\n1,a\n2,"b\n3,c\n4,d\n');
    expect(found.badRows).toEqual([{ line: 3, problem: 'a quote is not closed' }]);
    expect([found.items.rows, found.items.has('3')]).toEqual([3, true]);
  });

  test('whose quote is closed a megabyte later loses that row only', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i + 10},some name; that is not so short\n`).join(
      '',
    );
    const found = await load(`id,name\n1,a\n2,"b\n${rows}`);
    expect(found.badRows).toEqual([
      { line: 3, problem: 'longer than 262144 bytes, or a quote is not closed' },
    ]);
    expect(found.items.rows).toBe(20_001);
  });

  test('of nothing but broken quotes is given up', () => {
    const reader = createCsvReader(COLUMNS, { row() {}, bad() {}, column() {} }, 10_000);
    const rows = Array.from({ length: 100 }, (_, i) => `${i},a"b,${'x'.repeat(40)}\n`).join('');
    expect(() => [...reader.write(Buffer.from(`id,name\n1,a\n${rows}`))]).toThrow(
      /^line \d+: quotes are broken in too many rows: is it a CSV file\?$/,
    );
  });

  test('is read the same however it is cut into rows with and without quotes', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r\n', ' '), maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 30 }), async (names) => {
        const rows = names.map((name, i) => `${i},"${name.replaceAll('"', '""')}"\n`);
        const found = await load(`id,name\n${rows.join('')}`);
        expect(found.badRows).toEqual([]);
        const said = names.map((_, i) => found.items.get(String(i)));
        const expected = names.map((name) => name.replaceAll(/\s+/g, ' ').trim());
        expect(said).toEqual(expected.map((name) => (name === '' ? {} : { name })));
      }),
      { numRuns: runs(100) },
    );
  });

  test('without a column of ids says which it has', async () => {
    await expect(load('sku,title\n1,a\n')).rejects.toThrow(
      'line 1: the header has no column "id" (got "sku,title"): catalogue.columns.id sets another name',
    );
  });
});

describe('a catalogue in NDJSON', () => {
  test('has an object a line', async () => {
    const found = await load('{"id":4711,"name":"Shoe","price":19.5}\n\n{"id":"a","stock":0,"x":[1]}\n');
    expect(found.items.get('4711')).toEqual({ name: 'Shoe', price: '19.5' });
    expect(found.items.get('a')).toEqual({ stock: 0 });
  });

  test('loses only the row that has what cannot be text', async () => {
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    const rows = [
      '{"id":"1"}',
      '{"id":"2","stock":{"toString":1}}',
      `{"id":"3","name":${deep}}`,
      '{"id":9007199254740993}',
      '{"id":"5"}',
    ];
    const found = await load(`${rows.join('\n')}\n`);
    expect(found.badRows.map(({ line }) => line)).toEqual([2, 3, 4]);
    expect(found.items.rows).toBe(2);
  });

  test('has each bad row named by its line', async () => {
    const found = await load(
      `{"id":"1"}\n{"id":\n[]\nnull\n{"name":"x"}\n{"id":"6","name":"${'x'.repeat(300_000)}"}\n{"id":"7"}\n`,
    );
    expect(found.badRows.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6]);
    expect(found.badRows[4]?.problem).toBe('longer than 262144 bytes');
    expect([found.items.rows, found.items.has('7')]).toEqual([2, true]);
  });

  test('that is one list is refused with what to do', async () => {
    await expect(load('[{"id":"1"},\n{"id":"2"}]\n')).rejects.toThrow(/NDJSON has an object a line/);
  });

  test('reads no key of a prototype', async () => {
    const columns = { ...COLUMNS, name: 'constructor' };
    const found = await load('{"id":"1","__proto__":{"category":"x"}}\n', { columns });
    expect(found.items.get('1')).toEqual({});
  });
});

describe('a misspelt column is named, with the one that it may be', () => {
  test.each([
    ['id,nmae,stock\n1,a,1\n', ['"nmae" is not read, did you mean name?']],
    [
      'id,name,categorie,prize\n1,a,b,1\n',
      ['"categorie" is not read, did you mean category?', '"prize" is not read, did you mean price?'],
    ],
    ['{"id":"1","Name":"a","stock":1}\n', ['"Name" is not read, did you mean name?']],
    ['{"id":"1","stok":1}\n{"id":"2","name":"b"}\n', ['"stok" is not read, did you mean stock?']],
    ['id,titel,farbe\n1,a,b\n', ['only ids are read, and not "titel", "farbe"']],
    ['{"id":"1","titel":"a"}\n', ['only ids are read, and not "titel"']],
  ])('%j', async (text, problems) => {
    expect((await load(text)).columnProblems).toEqual(problems);
  });

  test.each([
    // Its name is there: another column may be called so.
    'id,name,nmae,colour\n1,a,b,red\n',
    'id,NAME,description\n1,a,b\n',
    'id\n1\n',
    '{"id":"1"}\n{"id":"2","name":"a","x":1}\n',
  ])('and nothing is said of %j', async (text) => {
    expect((await load(text)).columnProblems).toEqual([]);
  });

  test('one that the configuration names and no row of NDJSON has is named', async () => {
    const columns = { ...COLUMNS, name: 'Title' };
    const problems = async (text: string) => (await load(text, { columns })).columnProblems;
    expect(await problems('{"id":"1","stock":1}\n')).toEqual([
      'no row has "Title", which catalogue.columns.name names',
    ]);
    expect(await problems('{"id":"1","title":"a"}\n')).toEqual(['"title" is not read, did you mean Title?']);
    expect(await problems('{"id":"1"}\n{"id":"2","Title":"b"}\n')).toEqual([]);
  });

  test('and nothing is said of one that is nearest to a column that is there, whatever its name ends with', async () => {
    const columns = { ...COLUMNS, category: 'category name' };
    const { columnProblems } = await load('id,category name,category names,stock\n1,a,b,1\n', { columns });
    expect(columnProblems).toEqual([]);
  });

  test('of a file with a new key in each row, few are kept', async () => {
    const rows = Array.from({ length: 5_000 }, (_, i) => `{"id":"${i}","x${i}":1}\n`).join('');
    expect((await load(`${rows}{"id":"a","name":"b"}\n`)).columnProblems).toEqual([]);
    expect((await load(rows)).columnProblems[0]).toMatch(/^only ids are read, and not ("x\d", ){8}…$/);
  });
});

describe('a file that is no catalogue is refused', () => {
  test.each([
    ['id,name\n1,Shoe\n2,Ha', /^its last line has no newline at its end: the file looks half-written$/],
    ['id,name\n1,Shoe', /half-written/],
    ['{"id":"1"}\n{"id":"2"}', /half-written/],
    ['', /^is empty$/],
    ['id,name\n', /^has no valid row$/],
    ['id,name\n,a\n', /^has no valid row; line 2: id: is empty$/],
    ['\u0000\u0001\u0002\n', /^line 1: the header has no column "id"/],
  ])('%j', async (text, problem) => {
    await expect(load(text)).rejects.toThrow(problem);
  });

  test('a folder, a pipe, a device and a file that is not there', async () => {
    const pipe = join(folder.path, 'pipe');
    execFileSync('mkfifo', [pipe]);
    mkdirSync(join(folder.path, 'folder'));
    await expect(loadFile(pipe)).rejects.toThrow('must be a regular file');
    await expect(loadFile('/dev/zero')).rejects.toThrow('must be a regular file');
    await expect(loadFile(join(folder.path, 'folder'))).rejects.toThrow(/regular file|EISDIR/);
    await expect(loadFile(join(folder.path, 'missing'))).rejects.toThrow('ENOENT');
  });

  test('one that is written to while it is read', async () => {
    const path = join(folder.path, 'growing');
    writeFileSync(path, `id,name\n${Array.from({ length: 20_000 }, (_, i) => `${i},x\n`).join('')}`);
    let isDone = false;
    const loading = loadFile(path).finally(() => {
      isDone = true;
    });
    const failing = expect(loading).rejects.toThrow('is being written to');
    while (!isDone) {
      appendFileSync(path, 'more,x\n');
      await new Promise(setImmediate);
    }
    await failing;
  });

  test('one with more items than have room', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i},${'x'.repeat(200)}\n`).join('');
    await expect(load(`id,name\n${rows}`, { mostBytes: 2 * MIB })).rejects.toThrow(
      /^line \d+: the items need more memory than catalogue.memory_mb \(2\)$/,
    );
  });
});

test('a link to a catalogue is followed: Kubernetes mounts files so', async () => {
  writeFileSync(join(folder.path, 'data'), 'id\n1\n');
  symlinkSync('data', join(folder.path, 'link'));
  expect((await loadFile(join(folder.path, 'link'))).items.rows).toBe(1);
});

test('of a thousand bad rows twenty are kept, and all are counted', async () => {
  const found = await load(`id\nok\n${'ok\n'.repeat(1_000)}`);
  expect([found.rejected, found.badRows.length]).toEqual([1_000, 20]);
});

test('while a catalogue is loaded, everything else has its turn', async () => {
  const rows = Array.from({ length: 8_000 }, (_, i) => `${i},"a name, quoted",Shoes\n`).join('');
  let turns = 0;
  let isDone = false;
  const loading = load(`id,name,category\n${rows}`).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await new Promise(setImmediate);
    turns++;
  }
  expect((await loading).items.rows).toBe(8_000);
  // A piece of 8 KiB takes a millisecond, but a turn may take four.
  expect(turns).toBeGreaterThan(5);
});

let files = 0;
function load(text: string | Buffer, options: Partial<CatalogueOptions> = {}) {
  const path = join(folder.path, `file ${files++}`);
  writeFileSync(path, text);
  return loadFile(path, options);
}

function loadFile(path: string, options: Partial<CatalogueOptions> = {}) {
  return loadCatalogue({ path, columns: COLUMNS, imageHosts: [], mostBytes: 64 * MIB, ...options });
}
