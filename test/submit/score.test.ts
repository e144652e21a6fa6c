import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { scoreCommand } from '../../src/commands/score.ts';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { readWanted } from '../../src/submit/check.ts';
import { imageScoresCsv, worstImages } from '../../src/submit/image-scores.ts';
import { readTruth, type ScoreOptions, scoreSubmission } from '../../src/submit/score.ts';
import { differScores } from '../../src/submit/score-difference.ts';
import { readRealLabelFile } from '../data/real-label-file.ts';

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

async function scoreFiles(csv: string, truth: string, strict: boolean, more: Partial<ScoreOptions> = {}) {
  return await scoreSubmission(csv, { truth: await readTruth(truth), strict, ...more });
}

/** Stage 1's dialect, an image in two overlapping rows that are not neighbours. */
const TRUTH = 'ImageId, EncodedPixels\na, 0 6\nb, -1\na, 4 4\nc, 10 10\nother, -1\n';

test('the mean over the submission’s images of Dice on the union of the truth’s rows', async () => {
  const csv = await write('x.csv', 'ImageId,EncodedPixels\nb,-1\na,4 8\nc,-1\n');
  const score = await scoreFiles(csv, await write('truth.csv', TRUTH), true);
  // a: truth [0, 8), prediction [4, 12): 4 in common; b: both empty; c: missed.
  assert.deepEqual(score.summary, {
    images: 3,
    positives: 2,
    dice: ((2 * 4) / (8 + 8) + 1 + 0) / 3,
    dice_positive: (2 * 4) / (8 + 8) / 2,
    dice_empty: 1,
    iou: (4 / 12 + 1 + 0) / 3,
    dice_all_empty: 1 / 3,
  });
  assert.deepEqual(score.confusion, { found: 1, missed: 1, false_alarms: 0, both_empty: 1 });
  assert.deepEqual([score.skipped, score.broken, score.missing, score.unscored], [0, [], undefined, 1]);
});

test('several rows of an image are united, and identical ones change nothing', async () => {
  const truth = await write('truth.csv', TRUTH);
  const once = await write('once.csv', 'a,4 8\nb,-1\n');
  const repeated = await write('repeated.csv', '\uFEFFa, 4 8\r\nb, -1\r\na, 4 8');
  const parts = await write('parts.csv', 'a,4 3\nb,-1\na,6 6\n');
  const wanted = await scoreFiles(once, truth, true);
  assert.deepEqual(await scoreFiles(repeated, truth, true), wanted);
  assert.deepEqual(await scoreFiles(parts, truth, true), wanted);
});

test('a submission without any mask scores the share of empty images exactly', async () => {
  const anyTruth = fc.array(fc.boolean(), { minLength: 1, maxLength: 400 });
  await fc.assert(
    fc.asyncProperty(anyTruth, async (positives) => {
      const truth = await write('t.csv', positives.map((positive, i) => `i${i},${positive ? '3 9' : '-1'}\n`).join(''));
      const csv = await write('e.csv', positives.map((_, i) => `i${i},-1\n`).join(''));
      const empty = positives.filter((positive) => !positive).length;
      assert.equal((await scoreFiles(csv, truth, true)).summary.dice, empty / positives.length);
    }),
    { numRuns: 40 },
  );
});

test('an image without truth is refused, or left out and counted', async () => {
  const truth = await write('truth.csv', TRUTH);
  const csv = await write('more.csv', 'ImageId,EncodedPixels\na,0 8\nx,-1\nx,-1\ny,-1\n');
  await assert.rejects(scoreFiles(csv, truth, true), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /more\.csv:3 x, .*more\.csv:4 x, .*more\.csv:5 y\. strict=false/);
    return true;
  });
  const score = await scoreFiles(csv, truth, false);
  assert.deepEqual([score.summary.images, score.skipped, score.summary.dice], [1, 2, 1]);
  const foreign = await write('foreign.csv', 'x,-1\n');
  await assert.rejects(scoreFiles(foreign, truth, false), /has none of the 1 images/);
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
    broken_rows: 0,
    missing: 0,
    unscored: 3,
    confusion: { found: 1, missed: 0, false_alarms: 0, both_empty: 0 },
    intervals: { dice: [null, null], dice_positive: [null, null], dice_empty: [null, null], iou: [null, null] },
    worst: [],
  });
  await assert.rejects(run({ truth: 'truth.csv' }), UserError);
  await assert.rejects(run({}), /truth=<rle\.csv>/);
  await assert.rejects(run({ truth: 'truth.csv', strict: 'no' }), /Expected true or false for strict/);
});

test('codes that are none are all named', async () => {
  const truth = await write('truth.csv', TRUTH);
  const csv = await write('bad.csv', 'a,1 1048576\nb,1 2 3\n');
  await assert.rejects(scoreFiles(csv, truth, true), /bad\.csv:1 .*\n.*bad\.csv:2 /);
  await assert.rejects(scoreFiles(join(folder, 'no.csv'), truth, true), /Expected a label file for .*no\.csv/);
});

test('broken rows are each named and counted, and strict=false scores the rest', async () => {
  const truth = await write('truth.csv', TRUTH);
  const rows = ['a,0 8', 'b,', 'c,10 10', 'other,5', 'c,1 1048576', 'b,-1', ',1 2', 'x,y,z'];
  const csv = await write('broken.csv', `ImageId,EncodedPixels\n${rows.join('\n')}\n`);
  const lines = [3, 5, 6, 8, 9];
  await assert.rejects(scoreFiles(csv, truth, true), (error: Error) => {
    assert.ok(error instanceof UserError);
    for (const line of lines) assert.match(error.message, new RegExp(`broken\\.csv:${line}\\b`));
    assert.match(error.message, /\n5 rows are broken; strict=false scores the rest\./);
    return true;
  });
  const score = await scoreFiles(csv, truth, false);
  // b, c and other have a broken row each: whatever else they say, they are not scored.
  assert.deepEqual([score.summary.images, score.summary.dice, score.broken.length], [1, 1, 5]);
  assert.deepEqual(
    score.images.map(({ id }) => id),
    ['a'],
  );
});

test('a quote that nothing closes costs its own row alone', async () => {
  const truth = await write('truth.csv', TRUTH);
  const csv = await write('quote.csv', '"a","0 8"\n"b","-1\nc,10 10\nother,-1\n');
  await assert.rejects(scoreFiles(csv, truth, true), /quote\.csv:2\b[\s\S]*One row is broken/);
  const { images, broken } = await scoreFiles(csv, truth, false);
  assert.deepEqual(
    [images.map(({ id, dice }) => [id, dice]), broken.length],
    [
      [
        ['a', 1],
        ['c', 1],
        ['other', 1],
      ],
      1,
    ],
  );
});

test('rows that were dropped are noticed: by the sample, and else by the truth', async () => {
  const truth = await write('truth.csv', TRUTH);
  const csv = await write('dropped.csv', 'a,0 8\nb,-1\n');
  const sample = await readWanted(await write('sample.csv', 'a,-1\nb,-1\nc,-1\nc,-1\n'));
  await assert.rejects(
    scoreFiles(csv, truth, true, { sample }),
    /every image of .*sample\.csv but found none for c\. strict/,
  );
  const score = await scoreFiles(csv, truth, false, { sample });
  assert.deepEqual([score.missing, score.summary.images], [['c'], 2]);
  const warnings: string[] = [];
  const terminal = { ...silentTerminal, warn: (line: string) => void warnings.push(line) };
  const args = { words: ['dropped.csv'], cwd: folder, signal: new AbortController().signal };
  const { json, exitCode } = await scoreCommand.run({ ...args, values: { truth: 'truth.csv' } }, terminal);
  assert.deepEqual([json.unscored, json.missing, exitCode], [2, 0, 0]);
  assert.match(warnings.join(), /2 images of the truth without a row\./);
  const values = { truth: 'truth.csv', sample: 'sample.csv', strict: 'false' };
  assert.equal((await scoreCommand.run({ ...args, values }, terminal)).exitCode, 3);
  assert.match(warnings.join(), /1 image of the sample without a row: c/);
});

test('hand-made cases: overlap, doubled rows, the last pixel, one pixel, the full image', async () => {
  const last = 1024 * 1024 - 1;
  const truth = ['overlap,0 10', 'doubled,5 5', `last,${last} 1`, 'one,7 1', 'full,0 1048576', 'half,0 524288'];
  const rows = [
    'overlap,0 4',
    'overlap,2 8',
    'doubled,5 5',
    'doubled,5 5',
    `last,${last - 1} 2`,
    'one,7 1',
    'full,0 1048576',
  ];
  const csv = await write('hand.csv', `${[...rows, 'half,0 1048576'].join('\n')}\n`);
  const { images } = await scoreFiles(csv, await write('hand-truth.csv', `${truth.join('\n')}\n`), true);
  const dice = Object.fromEntries(images.map((image) => [image.id, image.dice]));
  assert.deepEqual(dice, { overlap: 1, doubled: 1, last: 2 / 3, one: 1, full: 1, half: 1 / 1.5 });
});

test('numpy agrees on 200 random submissions to 1e-12 (test/golden/score-random.py)', async () => {
  interface Case {
    csv: string;
    images: number;
    positives: number;
    dice: number;
    dice_positive: number | null;
    dice_empty: number | null;
    iou: number;
    confusion: number[];
  }
  const golden = new URL('../golden/score-random.json', import.meta.url);
  const { truth: text, cases } = JSON.parse(await readFile(golden, 'utf8')) as { truth: string; cases: Case[] };
  assert.equal(cases.length, 200);
  const truth = await readTruth(await write('random-truth.csv', text));
  for (const { csv, images, positives, confusion, ...means } of cases) {
    const score = await scoreSubmission(await write('random.csv', csv), { truth, strict: true });
    assert.deepEqual([score.summary.images, score.summary.positives], [images, positives]);
    assert.deepEqual(Object.values(score.confusion), confusion);
    for (const [name, mean] of Object.entries(means)) {
      const ours = score.summary[name as keyof typeof means];
      assert.ok(mean === null ? Number.isNaN(ours) : Math.abs(ours - mean) < 1e-12, `${name}: ${ours} and ${mean}`);
    }
  }
});

test('the real label file: no mask at all scores 9378/12047, the truth against itself 1', async () => {
  const path = await write('real.csv', await readRealLabelFile());
  const truth = await readTruth(path);
  const empty = await write('all-empty.csv', [...truth.truth.keys()].map((id) => `${id},-1\n`).join(''));
  const score = await scoreSubmission(empty, { truth, strict: true });
  assert.equal(score.summary.images, 12_047);
  assert.equal(score.summary.dice, 9378 / 12_047);
  assert.deepEqual(score.confusion, { found: 0, missed: 2669, false_alarms: 0, both_empty: 9378 });
  const { low, high } = score.intervals.dice;
  assert.ok(low < 9378 / 12_047 && high > 9378 / 12_047 && high - low < 0.02, `${low} to ${high}`);
  const itself = await scoreSubmission(path, { truth, strict: true });
  assert.deepEqual([itself.summary.dice, itself.summary.iou, itself.unscored], [1, 1, 0]);
});

test('two submissions beside one another: the paired difference, on the images that both have', async () => {
  const truth = await readTruth(await write('pair-truth.csv', 'a,0 10\nb,-1\nc,0 10\nd,-1\n'));
  const strict = { truth, strict: true };
  const first = await scoreSubmission(await write('first.csv', 'a,0 10\nb,1 1\nc,-1\nd,-1\n'), strict);
  const second = await scoreSubmission(await write('second.csv', 'a,5 5\nb,-1\nc,0 10\nd,-1\n'), strict);
  const { images, dice, dice_positive, dice_empty, better, worse } = differScores(first, second, strict);
  // a: 1 → 2·5/15; b: 0 → 1; c: 0 → 1; d: 1 → 1.
  assert.deepEqual([images, better, worse], [4, 2, 1]);
  assert.ok(Math.abs(dice.mean - (2 / 3 - 1 + 1 + 1) / 4) < 1e-15);
  assert.ok(Math.abs(dice_positive.mean - (2 / 3 - 1 + 1) / 2) < 1e-15);
  assert.equal(dice_empty.mean, 0.5);
  assert.ok(dice.low < dice.mean && dice.high > dice.mean);
  assert.deepEqual(differScores(first, first, strict).dice, { mean: 0, low: 0, high: 0, probability: 0.5 });
  const fewer = await scoreSubmission(await write('fewer.csv', 'a,0 10\n'), strict);
  assert.throws(() => differScores(first, fewer, strict), /3 are in the first alone and 0 in the second/);
  assert.equal(differScores(first, fewer, { strict: false }).images, 1);
});

test('the command compares two submissions, lists the worst images and writes what each scores', async () => {
  await write('pair-truth.csv', 'a,0 10\nb,-1\nc,0 10\nd,-1\n');
  await write('first.csv', 'a,0 10\nb,1 1\nc,-1\nd,-1\n');
  await write('second.csv', 'a,5 10\nb,-1\nc,-1\nd,3 7\n');
  await write('patients.csv', 'image_id,patient_id\na,p\nb,p\nc,q\n');
  const said: string[] = [];
  const terminal = { ...silentTerminal, say: (line: string) => void said.push(line) };
  const values = { truth: 'pair-truth.csv', images: 'out/images.csv', worst: '2', patients: 'patients.csv' };
  const signal = new AbortController().signal;
  const { json, exitCode } = await scoreCommand.run(
    { words: ['first.csv', 'second.csv'], values, cwd: folder, signal },
    terminal,
  );
  assert.equal(exitCode, 0);
  assert.equal(json.dice, 0.5);
  const { other, difference } = json as { other: { dice: number; worst: unknown[] }; difference: { images: number } };
  assert.equal(other.dice, 1.5 / 4);
  assert.equal(difference.images, 4);
  assert.deepEqual(other.worst, [
    { image_id: 'c', dice: 0, kind: 'missed' },
    { image_id: 'd', dice: 0, kind: 'false_alarms' },
  ]);
  assert.equal(
    await readFile(join(folder, 'out/images.csv'), 'utf8'),
    `image_id,dice,iou,kind,truth_area,predicted_area\na,0.5,${1 / 3},found,10,10\nb,1,1,both_empty,0,0\n` +
      'c,0,0,missed,10,0\nd,0,0,false_alarms,0,7\n',
  );
  assert.match(said.join('\n'), /second − first[\s\S]*Dice on empty images[\s\S]*worst images[\s\S]*false alarm/);
});

test('the worst images: lowest Dice first, then the largest mistake; perfect ones are none', () => {
  const image = (id: string, dice: number, truthArea: number, predictedArea: number) => ({
    ...{ id, dice, iou: dice, truthArea, predictedArea },
    ...{ positive: truthArea > 0, predictedPositive: predictedArea > 0 },
  });
  const images = [image('a', 1, 0, 0), image('b', 0, 5, 0), image('c', 0, 0, 9), image('d', 0.4, 5, 5)];
  const ids = (count: number) => worstImages(images, count).map(({ id }) => id);
  assert.deepEqual([ids(9), ids(1)], [['c', 'b', 'd'], ['c']]);
  assert.equal(imageScoresCsv([]).split('\n').length, 2);
});
