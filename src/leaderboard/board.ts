import type { ImageScore } from '../metrics/dice.ts';
import { rankCorrelation } from '../metrics/rank-correlation.ts';
import type { RunSummary } from '../tracking/runs.ts';
import type { Final } from './finals.ts';
import type { OfflineScores } from './offline-scores.ts';
import { expectShakeUp, type ShakeUp } from './shake-up.ts';
import type { BuiltFiles } from './submission-files.ts';

/** What a submission is known to score, each in [0, 1]. */
export interface BoardScores {
  /** The weighted mean of what its members' checkpoints score on their own validation images. */
  validation: number | undefined;
  /** Of the same members, views and post-processing on their validation images (`stage=oof`). */
  oof: number | undefined;
  /** On its own images, where their truth is known. */
  offline: number | undefined;
  public: number | undefined;
  private: number | undefined;
}
export type BoardColumn = keyof BoardScores;
export const BOARD_COLUMNS = ['validation', 'oof', 'offline', 'public', 'private'] as const satisfies BoardColumn[];

export interface BoardRow extends BoardScores {
  submission: BuiltFiles;
  /** Of its members, by the run's name where the run is there. */
  members: { name: string; checkpoint: string; weight: number }[];
  images: ImageScore[] | undefined;
  /** What it is, where it is marked as one that counts in the end. */
  final: string | undefined;
}

/** How well one score tells the order of another, over the submissions of one stage that have both. */
export interface Agreement {
  stage: BuiltFiles['manifest']['stage'];
  first: 'local' | 'offline' | 'public';
  second: 'public' | 'private';
  submissions: number;
  /** Spearman's; NaN with fewer than three submissions. */
  correlation: number;
}

/** Submissions that were scored on the same images, and what to expect of a board that shows a part of such images. */
export interface Expectation {
  stage: BuiltFiles['manifest']['stage'];
  submissions: string[];
  images: number;
  shakeUps: ShakeUp[];
}

export interface Board {
  rows: BoardRow[];
  agreements: Agreement[];
  expectations: Expectation[];
}

/** Parts of the images that public boards show. */
const SHARES = [0.01, 0.1, 0.3, 0.5];
/** More submissions than this take long to split a thousand times; the best are looked at. */
const MOST_SPLIT = 30;

/** Puts together what is known of every submission, sorted by a column, those without it behind by what is known locally. */
export async function buildBoard(
  submissions: readonly BuiltFiles[],
  runs: readonly RunSummary[],
  { imagesOf, sort, finals = [] }: { imagesOf: OfflineScores; sort: BoardColumn; finals?: readonly Final[] },
): Promise<Board> {
  const byId = new Map(runs.map((run) => [run.run_id, run]));
  const rows: BoardRow[] = [];
  for (const submission of submissions) {
    const images = await imagesOf(submission);
    const final = finals.find(({ id }) => id === submission.id)?.what;
    rows.push({ ...describe(submission, submissions, byId, images), final });
  }
  const rank = (row: BoardRow) => [row[sort] ?? -1, localOf(row) ?? -1] as const;
  rows.sort(
    (a, b) => rank(b)[0] - rank(a)[0] || rank(b)[1] - rank(a)[1] || (a.submission.id < b.submission.id ? 1 : -1),
  );
  return { rows, agreements: findAgreements(rows), expectations: findExpectations(rows) };
}

/** What is known of a submission before anything is sent: out of fold, else the validation of its members. */
export function localOf({ oof, validation }: BoardScores): number | undefined {
  return oof ?? validation;
}

function describe(
  submission: BuiltFiles,
  all: readonly BuiltFiles[],
  runs: ReadonlyMap<string, RunSummary>,
  images: ImageScore[] | undefined,
): Omit<BoardRow, 'final'> {
  const { members, stage } = submission.manifest;
  const alike = all.filter(({ manifest }) => manifest.stage === 'oof' && sameRecipe(manifest, submission.manifest));
  const offline =
    images === undefined || images.length === 0
      ? undefined
      : images.reduce((sum, { dice }) => sum + dice, 0) / images.length;
  return {
    submission,
    members: members.map(({ run_id, checkpoint, weight }) => ({
      name: runs.get(run_id)?.name ?? run_id,
      checkpoint,
      weight,
    })),
    images,
    validation: validationOf(submission, runs),
    oof: alike.at(-1)?.manifest.score?.dice,
    offline: stage === 'oof' ? undefined : offline,
    public: submission.scores.public,
    private: submission.scores.private,
  };
}

function sameRecipe(a: BuiltFiles['manifest'], b: BuiltFiles['manifest']): boolean {
  const recipe = ({ members, tta, postprocess, gate }: BuiltFiles['manifest']) => {
    const total = members.reduce((sum, { weight }) => sum + weight, 0);
    const parts = members.map(({ checkpoint_sha256, weight }) => `${checkpoint_sha256} ${(weight / total).toFixed(9)}`);
    return JSON.stringify([parts.sort(), tta, postprocess, gate]);
  };
  return recipe(a) === recipe(b);
}

function validationOf(
  { manifest: { members } }: BuiltFiles,
  runs: ReadonlyMap<string, RunSummary>,
): number | undefined {
  let [sum, weights] = [0, 0];
  for (const { run_id, checkpoint_id, weight } of members) {
    const dice = diceOfCheckpoint(runs.get(run_id), checkpoint_id);
    if (dice === undefined) return undefined;
    sum += weight * dice;
    weights += weight;
  }
  return sum / weights;
}

function diceOfCheckpoint(run: RunSummary | undefined, id: string): number | undefined {
  if (run === undefined) return undefined;
  const { chosen, tags, epochs } = run.record;
  if (chosen !== null && tags['checkpoint.id'] === id) return chosen['val/dice'];
  const epoch = /^epoch-(\d+)$/.exec(id)?.[1];
  if (epoch === undefined) return epochs.at(-1)?.values[`val/dice_${id}`];
  return epochs.find((each) => each.epoch === Number(epoch))?.values['val/dice'];
}

function findAgreements(rows: readonly BoardRow[]): Agreement[] {
  const value = { local: localOf, offline: (row: BoardRow) => row.offline, public: (row: BoardRow) => row.public };
  const kinds = [
    ['local', 'public'],
    ['local', 'private'],
    ['offline', 'public'],
    ['offline', 'private'],
    ['public', 'private'],
  ] as const;
  return ([1, 2] as const).flatMap((stage) =>
    kinds.flatMap(([first, second]): Agreement[] => {
      const pairs = rows
        .filter(({ submission }) => submission.manifest.stage === stage)
        .map((row) => [value[first](row), row[second]] as const)
        .filter((pair): pair is [number, number] => pair[0] !== undefined && pair[1] !== undefined);
      if (pairs.length < 2) return [];
      const correlation = rankCorrelation(
        pairs.map(([a]) => a),
        pairs.map(([, b]) => b),
      );
      return [{ stage, first, second, submissions: pairs.length, correlation }];
    }),
  );
}

/** Of each set of images that two or more submissions were scored on. */
function findExpectations(rows: readonly BoardRow[]): Expectation[] {
  const groups = new Map<string, BoardRow[]>();
  for (const row of rows) {
    if (row.images === undefined || row.images.length < 2) continue;
    const key = row.images
      .map(({ id }) => id)
      .sort()
      .join('\n');
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].flatMap((group): Expectation[] => {
    if (group.length < 2) return [];
    const mean = ({ images }: BoardRow) => images!.reduce((sum, { dice }) => sum + dice, 0);
    const seen = [...group].sort((a, b) => mean(b) - mean(a)).slice(0, MOST_SPLIT);
    const scores = seen.map(({ images }) => {
      const ordered = [...images!].sort((a, b) => (a.id < b.id ? -1 : 1));
      return Float64Array.from(ordered, ({ dice }) => dice);
    });
    return [
      {
        stage: seen[0]!.submission.manifest.stage,
        submissions: seen.map(({ submission }) => submission.id),
        images: scores[0]!.length,
        shakeUps: SHARES.map((share) => expectShakeUp(scores, share)),
      },
    ];
  });
}
