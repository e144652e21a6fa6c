import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseExperiment } from '../config/experiment.ts';
import { resolvePath } from '../config/paths.ts';
import type { Settings } from '../config/settings.ts';
import type { SubmissionMember } from '../config/submission.ts';
import { sha256 as sha256Of } from '../core/atomic-file.ts';
import { STAGE_FILES } from '../core/competition.ts';
import { expected, UserError } from '../core/errors.ts';
import { areaOfRuns } from '../core/rle.ts';
import type { NamedTensors } from '../core/safetensors.ts';
import type { Terminal } from '../core/terminal.ts';
import type { Dataset } from '../data/dataset.ts';
import { readFolds, splitFold } from '../data/folds.ts';
import { openDataset } from '../data/open-dataset.ts';
import { loadEngine } from '../engine/load.ts';
import { findCheckpoint, readCheckpoint } from '../models/checkpoint.ts';
import { buildModel } from '../models/index.ts';
import { JOURNAL_FILE, readJournal } from '../tracking/journal.ts';
import { findRun, type RunSummary } from '../tracking/runs.ts';
import { createPredictor } from './compile-predictor.ts';
import { predictImages, predictionsPath } from './predictor.ts';
import type { LabelledMasks, MemberRun, PredictionTarget, ProbabilitySource } from './probability-source.ts';
import { openProbabilityStore, type ProbabilityStore } from './probability-store.ts';
import type { TtaView } from './tta.ts';
import { checkValidationIds } from './validation-ids.ts';

interface SourceContext {
  settings: Settings;
  cwd: string;
  signal: AbortSignal;
}

/** Probabilities of runs on this machine: those that are stored, or else predicted now and stored. */
export function probabilitySource(context: SourceContext, terminal: Terminal): ProbabilitySource {
  const { settings, cwd } = context;
  const open = async (member: SubmissionMember) => {
    const run = await findRun(settings.runsDir, member.run);
    const id = await findCheckpoint(run.dir, member.checkpoint);
    const experiment = await parseExperiment(run.config, {}, cwd);
    const root = resolvePath(experiment.data.root, cwd);
    const { resolution, data } = experiment;
    const options = { root, resolution, normalisation: data.normalisation, signal: context.signal };
    const dataset = await openDataset(options, terminal);
    return { run, id, experiment, dataset, root };
  };
  type Opened = Awaited<ReturnType<typeof open>>;

  const indicesOf = async ({ run, dataset, experiment }: Opened, target: PredictionTarget): Promise<number[]> => {
    if (target !== 'oof') return testImages(dataset, target);
    const folds = await readFolds(resolvePath(experiment.data.folds, cwd));
    const { validation } = splitFold(folds, dataset.images, experiment.data.fold);
    await checkValidationIds(
      run.dir,
      validation.map((index) => dataset.images[index]!.id),
    );
    return validation;
  };

  return {
    describe: async (member): Promise<MemberRun> => {
      const { run, id, experiment, dataset, root } = await open(member);
      dataset.close();
      warnOfOtherData(run, dataset, terminal);
      const { sha256, weights } = await readCheckpoint(run.dir, id);
      const described = { run_id: run.run_id, run_dir: run.dir, checkpoint_id: id, checkpoint_sha256: sha256 };
      const { model, resolution } = experiment;
      return {
        ...{ ...described, data_digest: dataset.digest, data_root: root, presence_head: model.presence_head },
        architecture: hashArchitecture(model, resolution, weights),
        labelled: measureLabelled(dataset),
      };
    },
    validationOf: async (member) => {
      const opened = await open(member);
      opened.dataset.close();
      const indices = await indicesOf(opened, 'oof');
      const folds = await readFolds(resolvePath(opened.experiment.data.folds, cwd));
      const patients = new Map(folds.map(({ imageId, patientId }) => [imageId, patientId]));
      return indices
        .map((index) => opened.dataset.images[index]!)
        .map(({ id, truth }) => ({ id, truth: truth!, patient: patients.get(id) ?? '' }));
    },
    probabilitiesOf: async (member, tta, target) => {
      const opened = await open(member);
      try {
        const indices = await indicesOf(opened, target);
        const path = predictionsPath(opened.run.dir, opened.id, target, tta);
        const { weights, sha256 } = await readCheckpoint(opened.run.dir, opened.id);
        const stored = await openStored(path, sha256, opened.dataset, indices);
        if (stored !== undefined) return stored;
        await predict(opened, indices, { path, tta, target, weights, sha256 });
        return await openProbabilityStore(path);
      } finally {
        opened.dataset.close();
      }
    },
  };

  async function predict(opened: Opened, indices: readonly number[], job: PredictionJob): Promise<void> {
    const { run, id, experiment, dataset } = opened;
    const { device, deterministic, seed, resolution, model: config } = experiment;
    await loadEngine({ device, deterministic, cacheDir: settings.cacheDir }, terminal);
    const build = (side: number) => buildModel(config, side, seed);
    const shape = { batchSize: experiment.validation_batch_size, resolution, tta: job.tta };
    const predictor = createPredictor(build, job.weights, shape, `${run.run_id}, ${id}`);
    const bar = terminal.progress(`predict ${run.run_id} on ${job.target}`, indices.length);
    try {
      const facts = { storePath: job.path, checkpoint: job.sha256, tta: job.tta, workers: settings.loaderWorkers };
      const options = { ...facts, batchSize: shape.batchSize, signal: context.signal };
      await predictImages(predictor, dataset, indices, options, (count) => bar.advance(count));
    } finally {
      bar.stop();
      predictor.dispose();
    }
  }
}

interface PredictionJob {
  path: string;
  tta: readonly TtaView[];
  target: PredictionTarget;
  weights: NamedTensors;
  /** Of the weights. */
  sha256: string;
}

/** A store that is there, of these very weights and exactly the images asked for; another one is predicted anew. */
async function openStored(
  path: string,
  sha256: string,
  dataset: Dataset,
  indices: readonly number[],
): Promise<ProbabilityStore | undefined> {
  if (!existsSync(path)) return undefined;
  const store = await openProbabilityStore(path);
  const wanted = indices.map((index) => dataset.images[index]!.id);
  const sameImages = store.ids.length === wanted.length && wanted.every((id, place) => store.ids[place] === id);
  if (sameImages && store.checkpoint === sha256) return store;
  store.close();
  return undefined;
}

/** What was chosen of a network, and the names and shapes of its weights: retrained on other images it is the same. */
function hashArchitecture(
  { encoder, decoder }: { encoder: string; decoder: string },
  resolution: number,
  weights: NamedTensors,
): string {
  const shapes = [...weights].map(([name, { shape }]) => `${name} ${shape.join('x')}`).sort();
  return sha256Of([encoder, decoder, resolution, ...shapes].join('\n'));
}

function measureLabelled(dataset: Dataset): LabelledMasks {
  const truths = dataset.images.flatMap(({ truth }) => truth ?? []);
  const areas = truths.map(areaOfRuns).filter((area) => area > 0);
  return { images: truths.length, areas: areas.sort((a, b) => a - b) };
}

/** A run says at its start which data it was trained on; what lies there now may be other data. */
function warnOfOtherData(run: RunSummary, dataset: Dataset, terminal: Terminal): void {
  const first = readJournal(join(run.dir, JOURNAL_FILE))[0];
  const trainedOn = first?.type === 'run' ? first.tags['data.digest'] : undefined;
  if (trainedOn === undefined || dataset.digest.startsWith(trainedOn)) return;
  terminal.warn(`${run.run_id} was trained on data of digest ${trainedOn}, but ${dataset.root} has ${dataset.digest}.`);
}

function testImages(dataset: Dataset, target: 'stage1' | 'stage2'): number[] {
  const { images: set } = STAGE_FILES[target === 'stage1' ? 1 : 2];
  const indices = dataset.images.flatMap((image, index) => (image.set === set ? [index] : []));
  if (indices.length > 0) return indices;
  throw new UserError(expected(`images of ${set}`, dataset.root, 'none', 'Put them there and run `npm run ingest`.'));
}
