import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { readLabelRows, readLabels } from '../../src/data/labels.ts';
import { put, temporaryFolder } from './fixture-competition.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => {
  folder = await temporaryFolder();
});
after(() => folder.remove());

async function file(text: string): Promise<string> {
  await put(folder.path, 'labels.csv', text);
  return `${folder.path}/labels.csv`;
}

const DIALECTS: [name: string, text: string, dialect: string][] = [
  ["stage 1's", 'ImageId, EncodedPixels\na, 0 10\nb, -1\na, 5 10\n', 'header with a space, space before the code, LF'],
  ["stage 2's", 'ImageId,EncodedPixels\na,0 10\nb,-1\na,5 10\n', 'header, LF'],
  ["the official sample's", '\uFEFFa,0 10\nb,-1\na,5 10', 'byte order mark, no header, LF, no final newline'],
  ["torchxrayvision's", 'ImageId, EncodedPixels\na,0 10\nb,-1\na,5 10\n', 'header with a space, LF'],
  ["Windows'", 'ImageId,EncodedPixels\r\na, 0 10\r\nb, -1 \r\na, 5 10\r\n\r\n', 'header, space before the code, CRLF'],
  ['a quoting writer', '"ImageId","EncodedPixels"\n"a","0 10"\n"b","-1"\n"a","5 10"\n', 'header, LF'],
];

for (const [name, text, dialect] of DIALECTS) {
  test(`${name} dialect is read and named`, async () => {
    const labels = await readLabels(await file(text));
    assert.equal(labels.dialect, dialect);
    const first = /ImageId/.test(text) ? 2 : 1;
    assert.deepEqual(labels.rows, [
      { id: 'a', rle: '0 10', line: first },
      { id: 'b', rle: '-1', line: first + 1 },
      { id: 'a', rle: '5 10', line: first + 2 },
    ]);
    // [0, 10) and [5, 15) overlap: their union is [0, 15).
    assert.deepEqual(
      [...labels.truth].map(([id, runs]) => [id, [...runs]]),
      [
        ['a', [0, 15]],
        ['b', []],
      ],
    );
  });
}

const BAD: [name: string, text: string, message: RegExp][] = [
  ['a run that leaves the image', 'a,-1\nb,1 1048576\n', /labels\.csv:2.*1048577/],
  ['an odd number of tokens', 'ImageId,EncodedPixels\na,1 2 3\n', /labels\.csv:2.*3 tokens/],
  ['a code that is no number', 'a,1 x\n', /labels\.csv:1.*"x"/],
  ['an empty code', 'a,-1\n\nb,\n', /labels\.csv:3/],
  ['an empty id', ',-1\n', /an image id and its code for .*labels\.csv:1/],
  ['a third column', 'a,-1,0.5\n', /labels\.csv:1/],
  ['an open quote', 'a,"-1\nb,-1\n', /labels\.csv: damaged CSV/],
  ['a header alone', 'ImageId,EncodedPixels\n', /rows of image id and code.*none/],
  ['an empty file', '', /rows of image id and code.*none/],
];

for (const [name, text, message] of BAD) {
  test(`${name} is refused with file and line`, async () => {
    await assert.rejects(readLabels(await file(text)), (error: Error) => {
      assert.ok(error instanceof UserError, error.stack);
      assert.match(error.message, message);
      return true;
    });
  });
}

test('an absent file is refused by name', async () => {
  await assert.rejects(readLabels(`${folder.path}/nothing.csv`), /a label file for .*nothing\.csv.*ENOENT/);
});

test('reading rows alone keeps order and multiplicity and leaves codes unread', async () => {
  const { rows } = await readLabelRows(await file('b,1 2 3\na,-1\nb,1 2 3\n'));
  assert.deepEqual(
    rows.map(({ id, rle }) => [id, rle]),
    [
      ['b', '1 2 3'],
      ['a', '-1'],
      ['b', '1 2 3'],
    ],
  );
});
