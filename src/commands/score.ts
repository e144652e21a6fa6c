import { relative, resolve } from 'node:path';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { readPatientTable } from '../data/patient-table.ts';
import { kindOf } from '../metrics/confusion.ts';
import { readWanted } from '../submit/check.ts';
import { imageScoresCsv, worstImages } from '../submit/image-scores.ts';
import {
  readTruth,
  type ScoredImage,
  type ScoreOptions,
  type SubmissionScore,
  scoreSubmission,
} from '../submit/score.ts';
import { differScores } from '../submit/score-difference.ts';
import type { Command } from './command.ts';
import { sayDifference, sayFaults, sayScore, sayWorst } from './score-words.ts';
import { readSwitch, readWhole } from './values.ts';

/** `npm run score <submission.csv> [other.csv] truth=<rle.csv>`: the competition's metric, offline. */
export const scoreCommand: Command = {
  name: 'score',
  summary: 'compute the competition’s metric offline',
  usage: '<submission.csv> [other.csv] truth=<rle.csv> [strict=false]',
  keys: {
    truth: 'the label file to score against, in any of its dialects',
    sample: 'a sample submission, whose images must all have a row',
    patients: 'a CSV of images and patients (a folds file): intervals draw a patient’s images together',
    images: 'a CSV to write, with what each image scores',
    worst: 'how many of the images that cost most are listed (10)',
    strict: 'false: leave out images without truth and broken rows, and exit with 3; default true: refuse them',
  },
  overrides: false,
  run: async ({ words, values, cwd }, terminal) => {
    const options = await readOptions(values, cwd);
    const worst = readWhole('worst', values.worst ?? '10', 0);
    const [first, second] = words.map((word) => resolve(cwd, word));
    const score = await scoreSubmission(first!, options);
    const shown = second === undefined ? score : await scoreSubmission(second, options);
    if (second !== undefined) report(words[0]!, score, terminal);
    report(second === undefined ? undefined : words[1], shown, terminal);
    const difference = second === undefined ? undefined : differScores(score, shown, options);
    if (difference !== undefined) sayDifference(difference, terminal);
    sayWorst(worstImages(shown.images, worst), terminal);
    if (values.images !== undefined) {
      const to = resolve(cwd, values.images);
      await writeFileAtomic(to, imageScoresCsv(shown.images));
      terminal.say(`images       ${relative(cwd, to)}`);
    }
    const isPaired =
      difference === undefined || [score, shown].every((each) => each.images.length === difference.images);
    const other = second === undefined ? {} : { other: jsonOf(shown, worst), difference };
    return {
      json: { ...jsonOf(score, worst), ...other },
      exitCode: isWhole(score) && isWhole(shown) && isPaired ? 0 : 3,
    };
  },
};

function report(name: string | undefined, score: SubmissionScore, terminal: Terminal): void {
  if (name !== undefined) terminal.say(`\n${name}`);
  sayFaults(score, terminal);
  sayScore(score.summary, terminal, score);
}

/** Whether every image was scored that has a row or must have one. */
function isWhole({ skipped, broken, missing = [] }: SubmissionScore): boolean {
  return skipped === 0 && broken.length === 0 && missing.length === 0;
}

function jsonOf({ summary, skipped, broken, missing, unscored, ...score }: SubmissionScore, worst: number) {
  const { confusion, intervals, images } = score;
  const ends = Object.entries(intervals).map(([name, { low, high }]) => [name, [low, high]]);
  return {
    ...summary,
    skipped,
    broken_rows: broken.length,
    missing: missing?.length ?? 0,
    unscored,
    confusion,
    intervals: Object.fromEntries(ends),
    worst: worstImages(images, worst).map(nameImage),
  };
}

function nameImage(image: ScoredImage) {
  return { image_id: image.id, dice: image.dice, kind: kindOf(image) };
}

async function readOptions(values: Readonly<Record<string, string>>, cwd: string): Promise<ScoreOptions> {
  const { truth, sample, patients, strict } = values;
  if (truth === undefined) throw new UserError('Name the label file: `npm run score <csv> truth=<rle.csv>`.');
  return {
    strict: readSwitch('strict', strict ?? 'true'),
    truth: await readTruth(resolve(cwd, truth)),
    sample: sample === undefined ? undefined : await readWanted(resolve(cwd, sample)),
    patients: patients === undefined ? undefined : (await readPatientTable(resolve(cwd, patients))).patients,
  };
}
