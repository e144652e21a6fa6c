import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256, writeFileAtomic } from '../../src/core/atomic-file.ts';
import { MASK_SIZE } from '../../src/core/competition.ts';
import { emptyMask } from '../../src/core/image.ts';
import { createRng } from '../../src/core/random.ts';
import { formatRle, maskToRuns, type Runs } from '../../src/core/rle.ts';
import { cachePath, describeCache } from '../../src/data/cache-key.ts';
import { type CatalogueRow, writeCatalogue } from '../../src/data/catalogue.ts';
import { writeFolds } from '../../src/data/folds.ts';
import { NORMALISATION_NONE } from '../../src/dicom/normalise.ts';
import { imageScoresPath, scoreStore, validationMask, writeImageScores } from '../../src/predict/image-scores.ts';
import { predictionsPath } from '../../src/predict/predictor.ts';
import { createProbabilityStore, openProbabilityStore } from '../../src/predict/probability-store.ts';
import { openJournal } from '../../src/tracking/journal.ts';
import type { RunStatus } from '../../src/tracking/journal-entry.ts';

/** Side of the cached pictures and of what the runs predict. */
export const SIDE = 32;

/** A data root with a pixel cache and labels, folds, and a place for runs. */
export interface FixtureProject {
  cwd: string;
  runsDir: string;
  ids: string[];
  truth: ReadonlyMap<string, Runs>;
}

export interface FixtureRun {
  id: string;
  name?: string;
  params?: Record<string, string>;
  /** Images on which it predicts the very truth; a false alarm or nothing at all on the others. */
  right: readonly string[];
  status?: RunStatus;
  epochs?: number;
  /** The images that it was validated on; all when left out. */
  validates?: readonly string[];
  /** Whether what each image scores is kept, as validation does; true when left out. */
  scores?: boolean;
}

/** Images 0 to `count - 1`, two to a patient; every third has a mask, a block of 8×8 cells. */
export async function makeProject(count = 12): Promise<FixtureProject> {
  const cwd = await mkdtemp(join(tmpdir(), 'leaderboard-'));
  const root = join(cwd, 'data');
  const ids = Array.from({ length: count }, (_, image) => `image-${image}`);
  const truth = new Map(
    ids.map((id, image) => [id, image % 3 === 0 ? block(image) : maskToRuns(emptyMask(MASK_SIZE))]),
  );
  await mkdir(root);
  await writeCatalogue(
    root,
    ids.map((id, image) => catalogueRow(id, `patient-${Math.floor(image / 2)}`)),
  );
  const labels = ids.map((id) => `${id},${formatRle(truth.get(id)!)}`);
  await writeFile(join(root, 'train-rle.csv'), `ImageId,EncodedPixels\n${labels.join('\n')}\n`);
  await writeCache(root, ids);
  const rows = ids.map((imageId, image) => ({ imageId, fold: 0, patientId: `patient-${Math.floor(image / 2)}` }));
  await writeFolds(join(cwd, 'folds', 'x.csv'), rows);
  return { cwd, runsDir: join(cwd, 'runs'), ids, truth };
}

/** Writes a run that trained and ended, with its probabilities. Returns its folder. */
export async function writeRun(project: FixtureProject, run: FixtureRun): Promise<string> {
  const { id, name = id, status = 'FINISHED', epochs = 3 } = run;
  const dir = join(project.runsDir, id);
  const params = { name, epochs: '3', seed: '1', 'data.root': 'data', 'data.folds': 'folds/x.csv', ...run.params };
  const journal = await openJournal(dir);
  journal.run({ run_id: id, name, experiment: 'e', params, tags: { 'data.digest': 'd' } });
  const chosen = await storePredictions(project, dir, run, status === 'FINISHED' ? 'swa' : 'epoch-0001');
  const last = { 'val/dice': chosen.dice, 'val/dice_positive': chosen.positive, 'val/loss': 1 - chosen.dice };
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (let update = 1; update <= 4; update++)
      journal.metrics({ 'train/loss': 1 / (4 * epoch + update) }, 4 * epoch + update);
    const figures =
      epoch === 1 && status !== 'FINISHED' ? last : { 'val/dice': chosen.dice / (2 + epoch), 'val/loss': 1 };
    journal.metrics(figures, epoch);
  }
  if (status === 'FINISHED') {
    journal.metrics(last, 4);
    journal.tags({ 'checkpoint.id': 'swa', 'checkpoint.sha256': weightsOf(id) });
  }
  if (status !== 'RUNNING') journal.end(status);
  journal.close();
  await writeCheckpoint(dir, id, status === 'FINISHED' ? { swa: 'swa' } : { 'best-dice': 'epoch-0001' });
  const config = { name, resolution: SIDE, data: { root: 'data', normalisation: { name: 'none' } } };
  await writeFile(join(dir, 'config.yml'), JSON.stringify(config));
  return dir;
}

/** Writes a run that is made of the runs of its folds. */
export async function writeFoldsRun(
  project: FixtureProject,
  { id, folds, dice }: { id: string; folds: readonly string[]; dice: number },
): Promise<void> {
  const dir = join(project.runsDir, id);
  const journal = await openJournal(dir);
  const params = { name: id, epochs: '3', 'data.root': 'data', 'data.folds': 'folds/x.csv', 'data.fold': 'all' };
  journal.run({ run_id: id, name: id, experiment: 'e', params, tags: {} });
  journal.tags(Object.fromEntries(folds.map((run, fold) => [`fold.${fold}`, run])));
  journal.metrics({ 'cv/dice_mean': 0.5, 'cv/dice_std': 0.1, 'cv/dice': dice }, 4);
  journal.end('FINISHED');
  journal.close();
  const config = { name: id, resolution: SIDE, data: { root: 'data', normalisation: { name: 'none' } } };
  await writeFile(join(dir, 'config.yml'), JSON.stringify(config));
}

/** The digest that the weights of a fixture's run have. */
export function weightsOf(id: string): string {
  return sha256(`weights of ${id}`);
}

async function storePredictions({ ids, truth }: FixtureProject, dir: string, run: FixtureRun, checkpoint: string) {
  const path = predictionsPath(dir, checkpoint, 'oof', ['none']);
  const facts = { resolution: SIDE, checkpoint: weightsOf(run.id), tta: ['none'] };
  const writer = await createProbabilityStore(path, facts);
  for (const [image, id] of ids.entries()) {
    if (run.validates?.includes(id) === false) continue;
    const masked = run.right.includes(id) === truth.get(id)!.length > 0;
    await writer.append(id, masked ? blockMap(image) : new Uint8Array(SIDE * SIDE));
  }
  await writer.finish();
  const store = await openProbabilityStore(path);
  const scores = scoreStore(store, (id) => truth.get(id)!);
  store.close();
  if (run.scores !== false) await writeImageScores(imageScoresPath(path), scores);
  const mean = (images: readonly { dice: number }[]) => images.reduce((sum, { dice }) => sum + dice, 0) / images.length;
  return { dice: mean(scores.images), positive: mean(scores.images.filter(({ positive }) => positive)) };
}

async function writeCheckpoint(dir: string, id: string, index: Record<string, string>): Promise<void> {
  await writeFileAtomic(join(dir, 'checkpoints', 'index.json'), JSON.stringify(index));
  const files = { 'weights.safetensors': { sha256: weightsOf(id), bytes: 1 } };
  for (const checkpoint of Object.values(index)) {
    await writeFileAtomic(join(dir, 'checkpoints', checkpoint, 'manifest.json'), JSON.stringify({ files }));
  }
}

/** Where an image's block is: rows and columns of cells from here on. */
function cornerOf(image: number): number {
  return 4 + (image % 16);
}

/** The very mask that the map of a block gives: its corners are round. */
function block(image: number): Runs {
  return maskToRuns(validationMask(blockMap(image), SIDE));
}

function blockMap(image: number): Uint8Array {
  const map = new Uint8Array(SIDE * SIDE);
  const corner = cornerOf(image);
  for (let y = corner; y < corner + 8; y++) map.fill(255, y * SIDE + corner, y * SIDE + corner + 8);
  return map;
}

async function writeCache(root: string, ids: readonly string[]): Promise<void> {
  const sources = ids.map((imageId) => ({ imageId, file: `${imageId}.dcm`, sha256: sha256(imageId) }));
  const content = { root, resolution: SIDE, normalisation: NORMALISATION_NONE, sources };
  const pixels = Buffer.concat(
    ids.map((id) => {
      const shade = createRng(1, id).integer(0, 90);
      return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => shade + 2 * (i % SIDE) + Math.floor(i / SIDE));
    }),
  );
  const path = cachePath(content);
  await writeFileAtomic(path, pixels);
  await writeFileAtomic(`${path}.json`, JSON.stringify({ ...describeCache(content), sha256: sha256(pixels) }));
}

function catalogueRow(imageId: string, patientId: string): CatalogueRow {
  const texts = { sex: '', view: '', pixelSpacing: '', transferSyntax: '', notes: '', quarantined: '', phash: '' };
  const numbers = { bytes: 1, age: undefined, rows: MASK_SIZE, columns: MASK_SIZE, maskArea: 0, rleRows: 1 };
  const file = `${imageId}.dcm`;
  return {
    imageId,
    file,
    sha256: sha256(imageId),
    patientId,
    set: 'stage1-train',
    ...texts,
    ...numbers,
    labelled: true,
    positive: false,
  };
}
