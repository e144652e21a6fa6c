import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expected, UserError } from '../core/errors.ts';
import { type Mask, maskArea } from '../core/image.ts';
import { runsToMask } from '../core/rle.ts';
import type { Terminal } from '../core/terminal.ts';
import { kindOf, POOR } from '../metrics/confusion.ts';
import type { ImageScore } from '../metrics/dice.ts';
import { readAnySubmission } from '../submit/read-submission.ts';
import { readTruth, scoreSubmission } from '../submit/score.ts';
import { findRun, type RunSummary } from '../tracking/runs.ts';
import { scoreRun } from './fold-scores.ts';
import { type ImageSource, openImages, openMasks } from './image-pictures.ts';
import { csvPath, findSubmission } from './submission-files.ts';
import { readTruths } from './truth.ts';

/** How an image looks beside its truth. */
export const LOOKS = ['false-alarm', 'missed', 'poor', 'good'] as const;
export type Look = (typeof LOOKS)[number];

/** A prediction that can be looked at, image by image. */
export interface ViewSource {
  /** The run's id, or the submission's name. */
  name: string;
  scores: readonly ImageScore[];
  pixels: ImageSource;
  truthOf(id: string): Mask;
  maskOf(id: string): Mask;
  close(): void;
}

export interface ViewOptions {
  runsDir: string;
  /** The folder `submissions/`, absolute. */
  folder: string;
  cwd: string;
  /** A label file; the labels of the data root when left out. */
  truth: string | undefined;
  /** The run whose pixel cache has the pictures; of a submission its first member's when left out. */
  run: string | undefined;
}

/**
 * Opens what a word means: a CSV, a run, or a submission by its id. Throws UserError where there is no such thing, or no pixel
 * cache with its pictures, or nothing stored of the run's images.
 */
export async function openView(
  word: string,
  csv: string,
  options: ViewOptions,
  terminal: Terminal,
): Promise<ViewSource> {
  const { runsDir, folder, cwd } = options;
  if (/\.csv$/.test(word) && existsSync(csv)) return await openSubmission(csv, options, terminal);
  const run = await findRun(runsDir, word).catch((error: unknown) => error as UserError);
  if ('run_id' in run) return await openRun(run, options, terminal);
  if (!existsSync(join(folder, `${word}.manifest.json`))) throw run;
  return await openSubmission(csvPath(await findSubmission(word, folder, cwd)), options, terminal);
}

/** What an image's prediction looks like; undefined where nothing is predicted of an empty image. */
export function lookOf(score: ImageScore): Look | undefined {
  switch (kindOf(score)) {
    case 'false_alarms':
      return 'false-alarm';
    case 'missed':
      return 'missed';
    case 'found':
      return score.dice < POOR ? 'poor' : 'good';
    case 'both_empty':
      return undefined;
  }
}

/** The images of a look, those that cost most first: lowest Dice, then the larger mask, drawn or missed. */
export function imagesOf(source: ViewSource, look: Look): ImageScore[] {
  const area = ({ id, positive }: ImageScore) => maskArea(positive ? source.truthOf(id) : source.maskOf(id));
  const images = source.scores.filter((score) => lookOf(score) === look).map((score) => ({ score, area: area(score) }));
  const order = images.sort(
    (a, b) => a.score.dice - b.score.dice || b.area - a.area || (a.score.id < b.score.id ? -1 : 1),
  );
  return order.map(({ score }) => score);
}

async function openRun(run: RunSummary, { cwd, truth }: ViewOptions, terminal: Terminal): Promise<ViewSource> {
  const scored = await scoreRun(run, readTruths(cwd, terminal), terminal);
  const masks = scored.images === undefined ? undefined : await openMasks(scored);
  if (masks === undefined) {
    const next = 'Its validation keeps them; an earlier version may not have.';
    throw new UserError(expected('stored probabilities of its validation images', run.run_id, 'none', next));
  }
  if (truth !== undefined)
    throw new UserError(expected('a submission', 'truth', run.run_id, 'A run has its own labels.'));
  const pixels = await requirePixels(run, cwd, terminal);
  const close = () => {
    masks.close();
    pixels.close();
  };
  return { name: run.run_id, scores: scored.images!, pixels, truthOf: pixels.truthOf, maskOf: masks.maskOf, close };
}

async function openSubmission(csv: string, options: ViewOptions, terminal: Terminal): Promise<ViewSource> {
  const { cwd, folder } = options;
  const hasManifest = existsSync(csv.replace(/\.csv$/, '.manifest.json'));
  const built = hasManifest ? await findSubmission(csv, folder, cwd) : undefined;
  const name = options.run ?? built?.manifest.members[0]?.run_id;
  if (name === undefined) {
    const next = 'run=<run> names one whose data has them.';
    throw new UserError(expected('a manifest beside it, for the pictures,', csv, 'none', next));
  }
  const run = await findRun(options.runsDir, name);
  const truth =
    options.truth === undefined ? await readTruths(cwd, terminal)(run) : (await readTruth(options.truth)).truth;
  const { images } = await scoreSubmission(csv, {
    truth: { truth, path: options.truth ?? `The labels of ${run.run_id}'s data` },
    strict: false,
  });
  const { masks } = await readAnySubmission(csv);
  const pixels = await requirePixels(run, cwd, terminal);
  const scores = images.filter(({ id }) => pixels.has(id));
  const absent = images.length - scores.length;
  if (absent > 0) terminal.warn(`${absent} of the ${images.length} scored images are not in ${run.run_id}'s data.`);
  return {
    name: built?.id ?? basename(csv, '.csv'),
    ...{ scores, pixels, close: pixels.close },
    truthOf: (id) => runsToMask(truth.get(id)!),
    maskOf: (id) => runsToMask(masks.get(id)!),
  };
}

async function requirePixels(run: RunSummary, cwd: string, terminal: Terminal): Promise<ImageSource> {
  const pixels = await openImages(run, cwd, terminal);
  if (typeof pixels !== 'string') return pixels;
  const next = 'Make the cache with `npm run ingest data=<root> resolution=<R>`.';
  throw new UserError(expected('pictures', run.run_id, pixels, next));
}
