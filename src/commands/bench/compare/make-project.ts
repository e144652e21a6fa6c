import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../../core/atomic-file.ts';
import { createRng, type Rng } from '../../../core/random.ts';
import type { ImageScore } from '../../../metrics/dice.ts';
import { imageScoresPath, writeImageScores } from '../../../predict/image-scores.ts';
import { predictionsPath } from '../../../predict/predictor.ts';

/** How large a synthetic project is. */
export interface ProjectSize {
  runs: number;
  epochs: number;
  /** Of an epoch, each a line of the journal. */
  updates: number;
  submissions: number;
}

/** As many as a hold-out of 15 % validates, and as stage 1 tests. */
const VALIDATED = 1600;
const TESTED = 1372;

/**
 * Writes runs, submissions and labels as training and building leave them, without any probabilities: every second run is another
 * seed of the one before.
 */
export async function makeProject(cwd: string, size: ProjectSize): Promise<void> {
  const rng = createRng(42, 'bench compare');
  const ids = (count: number, set: string) =>
    Array.from({ length: count }, (_, image) => `1.2.276.0.7230010.3.1.4.${set}.${image}.1517875163`);
  const validated = ids(VALIDATED, '1');
  const rows = validated.map((id, image) => `${id},0,patient-${Math.floor(image / 1.7)}`);
  await mkdir(join(cwd, 'folds'), { recursive: true });
  await writeFile(join(cwd, 'folds', 'x.csv'), `image_id,fold,patient_id\n${rows.join('\n')}\n`);
  const positive = validated.map(() => rng.chance(0.22));
  for (let run = 0; run < size.runs; run++) await writeRun(cwd, run, size, { ids: validated, positive, rng });
  await writeSubmissions(cwd, ids(TESTED, '2'), size, rng);
}

interface Images {
  ids: readonly string[];
  positive: readonly boolean[];
  rng: Rng;
}

async function writeRun(
  cwd: string,
  run: number,
  { epochs, updates }: ProjectSize,
  { ids, positive, rng }: Images,
): Promise<void> {
  const id = runId(run);
  const dir = join(cwd, 'runs', id);
  const skill = rng.between(0.5, 0.8);
  const images = ids.map((image, place) => scoreOf(image, positive[place]!, skill, rng));
  const dice = images.reduce((sum, image) => sum + image.dice, 0) / images.length;
  const params: Record<string, string> = { ...paramsOf(run), epochs: String(epochs) };
  const time = Date.UTC(2026, 0, 1) + run;
  const lines: object[] = [{ type: 'run', time, run_id: id, name: params.name, experiment: 'bench', params, tags: {} }];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (let update = 1; update <= updates; update++) {
      const values = { 'train/loss': rng.uniform(), lr: 1e-3 * rng.uniform() };
      lines.push({ type: 'metrics', time, step: (epoch - 1) * updates + update, values });
    }
    lines.push({ type: 'metrics', time, step: epoch, values: validationOf(dice * (1 - Math.exp(-epoch / 20))) });
  }
  lines.push({ type: 'metrics', time, step: epochs + 1, values: validationOf(dice) });
  lines.push({ type: 'tags', time, tags: { 'checkpoint.id': 'swa', 'checkpoint.sha256': sha256(id) } });
  lines.push({ type: 'end', time, status: 'FINISHED' });
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'journal.jsonl'), `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
  await writeImageScores(imageScoresPath(predictionsPath(dir, 'swa', 'oof', ['none'])), {
    checkpoint: sha256(id),
    images,
  });
}

function runId(run: number): string {
  return `20260101-${String(run).padStart(6, '0')}-run`;
}

function paramsOf(run: number): Record<string, string> {
  const experiment = Math.floor(run / 2);
  const others = Array.from({ length: 50 }, (_, key) => [`other.${key}`, 'the same in all'] as const);
  return {
    ...{
      name: `experiment-${experiment}`,
      seed: String(run % 2),
      resolution: '512',
      'data.root': 'data',
      'data.folds': 'folds/x.csv',
    },
    ...{ 'lr_schedule.lr': String(1e-4 * (1 + experiment)), 'loss.name': ['dice', 'bce', 'focal'][experiment % 3]! },
    ...Object.fromEntries(others),
  };
}

function validationOf(dice: number): Record<string, number> {
  const parts = { 'val/dice_positive': dice - 0.3, 'val/dice_empty': dice + 0.05, 'val/iou': dice - 0.05 };
  return { 'val/loss': 1 - dice, 'val/dice': dice, ...parts, 'val/dice_all_empty': 0.78 };
}

function scoreOf(id: string, positive: boolean, skill: number, rng: Rng): ImageScore {
  const predictedPositive = rng.chance(positive ? skill : 0.1 * (1 - skill));
  const overlap = predictedPositive ? rng.between(0.4, 1) * skill : 0;
  const dice = positive ? overlap : Number(!predictedPositive);
  return { id, dice, iou: dice / (2 - dice), positive, predictedPositive };
}

async function writeSubmissions(
  cwd: string,
  ids: readonly string[],
  { submissions }: ProjectSize,
  rng: Rng,
): Promise<void> {
  const truth = ids.map((id) => `${id},${rng.chance(0.21) ? codeOf(rng) : '-1'}`);
  await mkdir(join(cwd, 'data'), { recursive: true });
  await mkdir(join(cwd, 'submissions'), { recursive: true });
  await writeFile(join(cwd, 'data', 'stage_2_train.csv'), `ImageId,EncodedPixels\n${truth.join('\n')}\n`);
  for (let submission = 0; submission < submissions; submission++) {
    const id = `20260201-${String(submission).padStart(6, '0')}-mine-stage1`;
    const rows = truth.map((line, image) => (rng.chance(0.8) ? line : `${ids[image]},${codeOf(rng)}`));
    const csv = `ImageId,EncodedPixels\n${rows.join('\n')}\n`;
    const member = {
      run_id: runId(submission),
      checkpoint: 'swa',
      checkpoint_id: 'swa',
      checkpoint_sha256: 'x',
      weight: 1,
    };
    const file = { file: `${id}.csv`, sha256: sha256(csv), rows: ids.length, positives: 0 };
    const manifest = {
      name: 'mine',
      stage: 1,
      stamp: id.slice(0, 15),
      csv: file,
      members: [member],
      tta: ['none'],
      postprocess: {},
    };
    const scores = {
      format: 1,
      public: rng.between(0.8, 0.86),
      private: rng.between(0.8, 0.86),
      recorded: '2026-02-01',
    };
    const path = join(cwd, 'submissions', id);
    await writeFile(`${path}.csv`, csv);
    await writeFile(`${path}.manifest.json`, JSON.stringify(manifest));
    await writeFile(`${path}.kaggle.json`, JSON.stringify(scores));
  }
}

/** A mask of a hundred columns, as long as real ones. */
function codeOf(rng: Rng): string {
  const length = rng.integer(20, 200);
  const first = rng.integer(0, 500_000);
  return Array.from({ length: 100 }, (_, column) => `${column === 0 ? first : 1024 - length} ${length}`).join(' ');
}
