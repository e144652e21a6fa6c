import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { checkSubmission, readWanted } from '../../src/submit/check.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'check-'));
});
after(() => rm(folder, { recursive: true }));

const SAMPLE = 'ImageId,EncodedPixels\nb,-1\na,-1\nc,-1\nb,-1\n';

async function check(csv: string, sample = SAMPLE) {
  const [csvFile, sampleFile] = [join(folder, 'x.csv'), join(folder, 'sample.csv')];
  await writeFile(csvFile, csv);
  await writeFile(sampleFile, sample);
  return await checkSubmission(csvFile, await readWanted(sampleFile));
}

test('accepts the rows of the sample, in any dialect', async () => {
  const { rows, masks } = await check('\uFEFFb, 0 5\r\na, -1\r\nc, 1048575 1\r\nb, 0 5');
  assert.equal(rows.length, 4);
  assert.deepEqual(
    [...masks].map(([id, runs]) => [id, ...runs]),
    [['b', 0, 5], ['a'], ['c', 1048575, 1048576]],
  );
});

const HEADER = 'ImageId,EncodedPixels\n';
const BAD: [what: string, csv: string, ...messages: RegExp[]][] = [
  [
    'a missing id',
    `${HEADER}b,-1\nc,-1\nb,-1\n`,
    /x\.csv: Expected one row for a \(.*sample\.csv:3\) but received none/,
  ],
  ['too few rows', `${HEADER}b,-1\na,-1\nc,-1\n`, /x\.csv:2: Expected 2 rows for b \(.*sample\.csv:2\) but received 1/],
  [
    'too many rows',
    `${HEADER}b,-1\na,-1\na,-1\nc,-1\nb,-1\n`,
    /x\.csv:4: Expected one row for a \(.*sample\.csv:3\) but received 2/,
  ],
  [
    'a foreign id',
    `${HEADER}b,-1\na,-1\nc,-1\nb,-1\nd,-1\n`,
    /Expected an image of .*sample\.csv for .*x\.csv:6 but received "d"/,
  ],
  [
    'another order',
    `${HEADER}b,-1\nc,-1\na,-1\nb,-1\n`,
    /Expected image a, in the order of .*sample\.csv:3, for .*x\.csv:3 but received "c"/,
  ],
  [
    'a repeated id with another code',
    `${HEADER}b,1 2\na,-1\nc,-1\nb,1 3\n`,
    /Expected the code of line 2 again \(image b\) for .*x\.csv:5 but received "1 3"/,
  ],
  ['a run beyond the image', `${HEADER}b,1 1048576\na,-1\nc,-1\nb,-1\n`, /runs within 1048576 pixels .* x?.*x\.csv:2/],
  ['an odd number of tokens', `${HEADER}b,-1\na,1 2 3\nc,-1\nb,-1\n`, /-1 or pairs .*x\.csv:3 but received "3 tokens"/],
  ['an empty code', `${HEADER}b,-1\na,\nc,-1\nb,-1\n`, /an image id and its code for .*x\.csv:3 but received "a,"/],
  [
    'several problems at once',
    `${HEADER}b,x y\na,0 0\nc,-1\nb,-1\n`,
    /at least 0 .*x\.csv:2 but received "x"/,
    /at least 1 .*x\.csv:3 but received "0"/,
  ],
];

for (const [what, csv, ...messages] of BAD) {
  test(`refuses ${what}`, async () => {
    await assert.rejects(check(csv), (error: Error) => {
      assert.ok(error instanceof UserError);
      for (const message of messages) assert.match(error.message, message);
      return true;
    });
  });
}

test('a wholly wrong file is not listed line by line', async () => {
  const ids = Array.from({ length: 50 }, (_, i) => `${i},-1\n`).join('');
  await assert.rejects(check(`${HEADER}${ids}`), (error: Error) => {
    const lines = error.message.split('\n');
    // 50 foreign ids and 3 missing ones, of which 20 are shown.
    assert.equal(lines.length, 20 + 1);
    assert.equal(lines.at(-1), `… and ${50 + 3 - 20} more problems.`);
    return true;
  });
});
