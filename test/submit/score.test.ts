import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { scoreCommand } from '../../src/commands/score.ts';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { scoreSubmission } from '../../src/submit/score.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'score-'));
});
after(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** Stage 1's dialect, an image in two overlapping rows that are not neighbours. */
const TRUTH = 'ImageId, EncodedPixels\na, 0 6\nb, -1\na, 4 4\nc, 10 10\nother, -1\n';

test('the mean over the submission’s images of Dice on the union of the truth’s rows', async () => {
  const csv = await write('x.csv', 'ImageId,EncodedPixels\nb,-1\na,4 8\nc,-1\n');
  const score = await scoreSubmission(csv, await write('truth.csv', TRUTH), true);
  // a: truth [0, 8), prediction [4, 12): 4 in common; b: both empty; c: missed.
  assert.deepEqual(score, {
    images: 3,
    positives: 2,
    dice: ((2 * 4) / (8 + 8) + 1 + 0) / 3,
    dice_positive: (2 * 4) / (8 + 8) / 2,
    dice_empty: 1,
    iou: (4 / 12 + 1 + 0) / 3,
    dice_all_empty: 1 / 3,
    skipped: 0,
  });
});

test('several rows of an image are united, and identical ones change nothing', async () => {
  const truth = await write('truth.csv', TRUTH);
  const once = await write('once.csv', 'a,4 8\nb,-1\n');
  const repeated = await write('repeated.csv', '\uFEFFa, 4 8\r\nb, -1\r\na, 4 8');
  const parts = await write('parts.csv', 'a,4 3\nb,-1\na,6 6\n');
  const wanted = await scoreSubmission(once, truth, true);
  assert.deepEqual(await scoreSubmission(repeated, truth, true), wanted);
  assert.deepEqual(await scoreSubmission(parts, truth, true), wanted);
});

test('a submission without any mask scores the share of empty images exactly', async () => {
  const anyTruth = fc.array(fc.boolean(), { minLength: 1, maxLength: 400 });
  await fc.assert(
    fc.asyncProperty(anyTruth, async (positives) => {
      const truth = await write('t.csv', positives.map((positive, i) => `i${i},${positive ? '3 9' : '-1'}\n`).join(''));
      const csv = await write('e.csv', positives.map((_, i) => `i${i},-1\n`).join(''));
      const empty = positives.filter((positive) => !positive).length;
      assert.equal((await scoreSubmission(csv, truth, true)).dice, empty / positives.length);
    }),
    { numRuns: 40 },
  );
});

test('an image without truth is refused, or left out and counted', async () => {
  const truth = await write('truth.csv', TRUTH);
  const csv = await write('more.csv', 'ImageId,EncodedPixels\na,0 8\nx,-1\nx,-1\ny,-1\n');
  await assert.rejects(scoreSubmission(csv, truth, true), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /more\.csv:3 x, .*more\.csv:4 x, .*more\.csv:5 y\. strict=false/);
    return true;
  });
  const score = await scoreSubmission(csv, truth, false);
  assert.deepEqual([score.images, score.skipped, score.dice], [1, 2, 1]);
  const foreign = await write('foreign.csv', 'x,-1\n');
  await assert.rejects(scoreSubmission(foreign, truth, false), /has none of the 1 images/);
});

test('the command gives the figures and says with 3 that images were left out', async () => {
  await write('truth.csv', TRUTH);
  await write('more.csv', 'a,0 8\nx,-1\n');
  const run = (values: Record<string, string>) =>
    scoreCommand.run(
      { words: ['more.csv'], values, cwd: folder, signal: new AbortController().signal },
      silentTerminal,
    );
  const { json, exitCode } = await run({ truth: 'truth.csv', strict: 'false' });
  assert.equal(exitCode, 3);
  assert.deepEqual(JSON.parse(JSON.stringify(json)), {
    images: 1,
    positives: 1,
    dice: 1,
    dice_positive: 1,
    dice_empty: null,
    iou: 1,
    dice_all_empty: 0,
    skipped: 1,
  });
  await assert.rejects(run({ truth: 'truth.csv' }), UserError);
  await assert.rejects(run({}), /truth=<rle\.csv>/);
  await assert.rejects(run({ truth: 'truth.csv', strict: 'no' }), /Expected true or false for strict/);
});

test('codes that are none are all named', async () => {
  const truth = await write('truth.csv', TRUTH);
  const csv = await write('bad.csv', 'a,1 1048576\nb,1 2 3\n');
  await assert.rejects(scoreSubmission(csv, truth, true), /bad\.csv:1 .*\n.*bad\.csv:2 /);
  await assert.rejects(scoreSubmission(join(folder, 'no.csv'), truth, true), /Expected a label file for .*no\.csv/);
});
