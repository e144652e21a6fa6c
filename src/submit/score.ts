import { UserError } from '../core/errors.ts';
import { areaOfRuns, type Runs } from '../core/rle.ts';
import { type LabelRow, readLabels } from '../data/labels.ts';
import { createBootstrap, type Estimate } from '../metrics/bootstrap.ts';
import { type Confusion, countKinds } from '../metrics/confusion.ts';
import { type ImageScore, type ScoreSummary, scoreImage, summariseScores } from '../metrics/dice.ts';
import { listProblems, type WantedRows } from './check.ts';
import { readAnySubmission } from './read-submission.ts';

/** What one image of a submission scores. */
export interface ScoredImage extends ImageScore {
  /** In pixels at MASK_SIZE². */
  truthArea: number;
  /** In pixels at MASK_SIZE². */
  predictedArea: number;
}

/** What a submission scores. */
export interface SubmissionScore {
  summary: ScoreSummary;
  confusion: Confusion;
  /** 95 % intervals of the means; NaN where there are fewer than two groups. */
  intervals: Record<'dice' | 'dice_positive' | 'dice_empty' | 'iou', Estimate>;
  /** In the submission's order. */
  images: ScoredImage[];
  /** Images of the submission that the truth does not know. */
  skipped: number;
  /** A sentence for each row that is none, or whose code is none or leaves the image; their images are not scored. */
  broken: string[];
  /** Images that must have a row, by the sample, and have none; undefined where no sample says so. */
  missing: string[] | undefined;
  /** Images of the truth without a row, which is as it should be where the submission is of a part of them. */
  unscored: number;
}

export interface ScoreOptions {
  /** Read once for several submissions. */
  truth: Truth;
  /** A sample submission: the images that must have a row. */
  sample?: WantedRows | undefined;
  /** Whether whatever is not in order is refused, rather than counted and left out. */
  strict: boolean;
  /** By image id: images of one patient are drawn together for the intervals. */
  patients?: ReadonlyMap<string, string> | undefined;
}

/** Masks by image id, and for messages where they are from. */
export interface Truth {
  path: string;
  truth: ReadonlyMap<string, Runs>;
}

/** Reads a label file in any dialect. Throws UserError where it is none. */
export async function readTruth(path: string): Promise<Truth> {
  return { truth: (await readLabels(path)).truth, path };
}

/** How many images are named. */
const NAMED = 5;

/**
 * The competition's metric of a submission, over its own images: per image on the union of its rows and of the truth's.
 * Throws UserError where `strict` holds and a row is broken, an image has no truth or an image of the sample has no row;
 * where no image can be scored; and for files that cannot be read.
 */
export async function scoreSubmission(csv: string, options: ScoreOptions): Promise<SubmissionScore> {
  const { truth, sample, strict } = options;
  const { rows, masks, problems } = await readAnySubmission(csv);
  const known = new Set([...rows.map(({ id }) => id), ...problems.flatMap(({ id }) => id ?? [])]);
  const missing = sample && [...new Set(sample.rows.map(({ id }) => id))].filter((id) => !known.has(id));
  const unknown = rows.filter(({ id }) => !truth.truth.has(id));
  const broken = problems.map(({ sentence }) => sentence);
  if (strict) refuse(csv, truth.path, { broken, unknown, missing: missing ?? [], sample });
  const images = [...masks].flatMap(([id, mask]) => {
    const wanted = truth.truth.get(id);
    return wanted === undefined ? [] : [scoreWithAreas(id, mask, wanted)];
  });
  if (images.length === 0) throw new UserError(`${truth.path} has none of the ${masks.size} images of ${csv}.`);
  const unscored = [...truth.truth.keys()].filter((id) => !known.has(id)).length;
  return {
    summary: summariseScores(images),
    confusion: countKinds(images),
    intervals: findIntervals(images, options.patients),
    images,
    skipped: new Set(unknown.map(({ id }) => id)).size,
    broken,
    missing,
    unscored,
  };
}

/** Scores of images and groups for a bootstrap: an image whose patient is not known is a group of its own. */
export function groupsOf(images: readonly ImageScore[], patients?: ReadonlyMap<string, string>): string[] {
  return images.map(({ id }) => (patients?.has(id) ? `patient ${patients.get(id)}` : `image ${id}`));
}

function scoreWithAreas(id: string, prediction: Runs, truth: Runs): ScoredImage {
  const areas = { truthArea: areaOfRuns(truth), predictedArea: areaOfRuns(prediction) };
  return { ...scoreImage(id, prediction, truth), ...areas };
}

function findIntervals(images: readonly ScoredImage[], patients: ReadonlyMap<string, string> | undefined) {
  const bootstrap = createBootstrap(groupsOf(images, patients));
  const dice = images.map((image) => image.dice);
  const positive = images.map((image) => image.positive);
  return {
    dice: bootstrap.mean(dice),
    dice_positive: bootstrap.mean(dice, positive),
    dice_empty: bootstrap.mean(
      dice,
      positive.map((each) => !each),
    ),
    iou: bootstrap.mean(images.map((image) => image.iou)),
  };
}

interface Faults {
  broken: readonly string[];
  unknown: readonly LabelRow[];
  missing: readonly string[];
  sample: WantedRows | undefined;
}

function refuse(csv: string, truthFile: string, { broken, unknown, missing, sample }: Faults): void {
  if (broken.length > 0) {
    const count = broken.length === 1 ? 'One row is' : `${broken.length} rows are`;
    throw new UserError(`${listProblems(broken)}\n${count} broken; strict=false scores the rest.`);
  }
  const next = 'strict=false leaves such images out.';
  if (missing.length > 0) {
    const names = nameSome(missing);
    throw new UserError(
      `Expected a row in ${csv} for every image of ${sample!.name} but found none for ${names}. ${next}`,
    );
  }
  if (unknown.length > 0) {
    const names = nameSome(unknown.map(({ id, line }) => `${csv}:${line} ${id}`));
    throw new UserError(`Expected a row in ${truthFile} for every image but found none for ${names}. ${next}`);
  }
}

function nameSome(names: readonly string[]): string {
  return names.slice(0, NAMED).join(', ') + (names.length > NAMED ? `, … (${names.length})` : '');
}
