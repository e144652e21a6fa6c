import type { Experiment } from '../config/experiment.ts';
import type { Settings } from '../config/settings.ts';
import { configTable } from '../config/show-config.ts';
import { isRequeue, messageOf, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { countWeighed } from '../data/extra-weights.ts';
import { loadEngine } from '../engine/load.ts';
import { limitTensorFlow, readHostMemory } from '../engine/memory.ts';
import { readCheckpointIndex } from '../models/checkpoint.ts';
import { type Journal, openJournal } from '../tracking/journal.ts';
import { readRecord } from '../tracking/read-record.ts';
import { openEventFile } from '../tracking/tensorboard.ts';
import { resolveTracking } from '../tracking/tracking.ts';
import { startUploader, type Uploader, type UploadResult } from '../tracking/uploader.ts';
import { createAverages } from './averages.ts';
import { REQUEUE_TAG } from './close-abandoned.ts';
import { traceLineage } from './contamination.ts';
import { datasetEntries, describeRun } from './describe-run.ts';
import { checkSpace, estimateSpace, measureCheckpoint } from './disk-space.ts';
import { fit, Paused, type Training } from './fit.ts';
import { describeInitial, type EarlierRuns, findInitialWeights } from './initial-weights.ts';
import { keepCheckpoints, loggedOf, type SavedCheckpoint } from './keep-checkpoints.ts';
import { logChosen } from './log-chosen.ts';
import { logEnvironment } from './log-environment.ts';
import { logOverlays } from './log-overlays.ts';
import { openData } from './open-data.ts';
import { explainOutOfMemory, type MemoryNeed } from './out-of-memory.ts';
import { prepareStep } from './prepare-step.ts';
import { beginning } from './progress.ts';
import { checkSameData, lockRun, makeRunFolder, type RunFolder, UNIT_ATTEMPTS } from './run-folder.ts';
import type { TrainStep } from './step.ts';
import { trainedFurther } from './trained-on.ts';
import { findTrainingState, type TrainingState } from './training-state.ts';
import { watchSystem } from './watch-system.ts';

/** What surrounds a run: the file that declares it, where the user stands, the machine, and the wish to stop. */
export interface RunContext {
  file: string;
  cwd: string;
  settings: Settings;
  signal: AbortSignal;
  /** Earlier files of the same command: name → run id. */
  earlier: EarlierRuns;
  /** The run to take up, if one is. */
  resume?: ResumedRun | undefined;
  /** The run that this is a child of: one of all folds, or a sweep. */
  parentRun?: string | undefined;
  /** The id of the run, where it begins; one for the experiment's name and the time when left out. */
  runId?: string | undefined;
  /** Stop after this epoch, to be taken up again; its epochs are all trained when left out. */
  untilEpoch?: number | undefined;
  /** Called with what should be known of the run if its process dies. */
  tell?: (news: RunNews) => void;
}

/** A run that is taken up where its last checkpoint stands: itself, or by a new one (`fork`). */
export interface ResumedRun {
  runId: string;
  runDir: string;
  fork: boolean;
}

/** What is known of a run by and by. */
export interface RunNews {
  /** From when it is there. */
  runDir?: string;
  /** Its estimate once the network is built. */
  need?: MemoryNeed;
}

export interface RunResult extends Pick<UploadResult, 'mlflow_run_id' | 'tracking_uri'> {
  run_id: string;
  run_dir: string;
  /** RUNNING: saved and ended in order to be taken up again. */
  status: 'FINISHED' | 'KILLED' | 'RUNNING';
  /** The checkpoint to use, and its figures; undefined where the run was stopped before it was known. */
  chosen: SavedCheckpoint | undefined;
}

/** The rest of the journal may still be waiting for a local server to be installed. */
const UPLOAD_TIMEOUT_MS = 10 * 60_000;
/** Whoever stops a run wants it to end; what is not in MLflow by then is sent by `npm run sync`. */
const STOPPED_UPLOAD_TIMEOUT_MS = 5_000;

/**
 * One experiment from its declaration to its chosen checkpoint.
 * Throws UserError before anything is written where data, folds or initial weights are not there, or the step needs more
 * memory than the machine has; an error later ends the run as FAILED. When the signal says stop, training is saved to the batch
 * and the run ends as KILLED, or stays RUNNING where it is to be taken up again.
 */
export async function runExperiment(
  experiment: Experiment,
  context: RunContext,
  terminal: Terminal,
): Promise<RunResult> {
  const { settings, cwd, signal, resume } = context;
  const folder = resume === undefined || resume.fork ? undefined : await takeUp(resume, context.runId);
  let state = resume === undefined ? undefined : await findTrainingState(resume.runDir, terminal);
  const places = { ...settings, cwd, earlier: context.earlier };
  const initial = state === undefined ? await findInitialWeights(experiment, places) : undefined;
  const { device, deterministic } = experiment;
  const { dataset, split } = await openData(experiment, { cwd, signal }, terminal);
  const idsOf = (indices: readonly number[]) => indices.map((index) => dataset.images[index]!.id);
  const validation = idsOf(split.validation);
  if (folder !== undefined) await checkSameData(folder, dataset, validation);
  const lineage = await traceLineage(comesFrom(experiment, context, state), validation, places, terminal);
  const machine = readHostMemory();
  const host = device === 'gpu' ? machine : limitTensorFlow(machine);
  const engine = await loadEngine({ device, deterministic, cacheDir: settings.cacheDir, signal }, terminal);
  const setting = { device: engine.device, host, tell: (need: MemoryNeed) => context.tell?.({ need }) };
  const { step, need } = await prepareStep(experiment, initial, setting, terminal);
  signal.throwIfAborted();
  const { progress, from } = state === undefined ? { progress: beginning() } : goOn(state, step, terminal);
  // The batches left out before are its parent's, or ended the run already: they are counted anew.
  if (resume?.fork === true || progress.broken > experiment.nan_tolerance) progress.broken = 0;
  // Its arrays are in the step by now, and as large as the network and its optimizer.
  state = undefined;

  const counts = { train: countWeighed(dataset.images, split.train), validation: validation.length };
  await checkSpace(folder?.runDir ?? settings.runsDir, estimateSpace(experiment, measureCheckpoint(step), counts));
  const images = { validation, trainedOn: trainedFurther(lineage.before, idsOf(split.train)) };
  const { runId, runDir, release } =
    folder ?? (await makeRunFolder(experiment, { ...settings, runId: context.runId }, images));
  context.tell?.({ runDir });
  // Of several folds each would say the same.
  const table = context.parentRun === undefined ? `:\n${configTable(experiment)}` : '';
  terminal.say(`run ${runId} on the ${engine.device}${table}`);
  const events = experiment.tensorboard ? openEventFile(runDir, terminal.warn) : undefined;
  const journal = await openJournal(runDir, events?.take);
  journal.run(await describeRun(runId, experiment, context, { dataset, device: engine.device }));
  const parent = resume?.fork === true ? { 'harness.parent_run_id': resume.runId } : {};
  journal.tags({ ...lineage.tags, ...(await describeInitial(initial)), ...parent });
  if (folder !== undefined) journal.tags({ [REQUEUE_TAG]: 'false' });
  journal.artifact('config.yml', 'config.yml');
  for (const entry of datasetEntries(experiment.data, dataset, split)) journal.dataset(entry);
  await logEnvironment(runDir, journal, engine);
  const uploader = startUploader({ runDir, tracking: resolveTracking(settings, terminal) }, terminal);

  const watch = watchSystem(journal, readRecord(runDir)!.started);
  let training: Training | undefined;
  let chosen: SavedCheckpoint | undefined;
  let failure: unknown;
  let status: RunResult['status'] | 'FAILED' = 'FAILED';
  try {
    const averages = createAverages(experiment, step, from?.averages);
    const resumed = resume?.fork === true ? undefined : from;
    const keepTopK = experiment.keep_top_k;
    const checkpoints = await keepCheckpoints({ runDir, step, averages, journal, keepTopK, resumed });
    const workers = settings.loaderWorkers;
    const { untilEpoch } = context;
    const parts = { runDir, experiment, dataset, split, step, averages, checkpoints, journal, terminal, signal };
    training = { ...parts, workers, untilEpoch };
    // A run may have died between a checkpoint and what is logged of it.
    if (resumed?.metrics !== undefined) {
      journal.metrics(loggedOf(resumed.metrics, resumed.ranking), progress.epoch);
      await logOverlays(training, resumed.id, progress.epoch);
    }
    chosen = await fit(training, progress);
    await logChosen(training, chosen);
    watch.stop();
    status = 'FINISHED';
  } catch (error) {
    const whole = (await readCheckpointIndex(runDir)).last;
    failure = explainOutOfMemory(error, experiment, need, whole === undefined ? undefined : runId);
  }
  try {
    const paused = failure instanceof Paused;
    if (paused || (signal.aborted && failure === signal.reason)) {
      // Averaged weights are no state to go on from: the last epoch's own checkpoint stands.
      if (!progress.averaging && !paused) await training?.checkpoints.saveState(progress);
      status = paused || isRequeue(signal.reason) ? 'RUNNING' : 'KILLED';
    }
  } catch (error) {
    failure = error;
  }
  try {
    watch.stop();
  } catch (error) {
    terminal.warn(messageOf(error));
  }
  const uploaded = await endRun(status, { journal, uploader, terminal });
  await release();
  dataset.close();
  step.dispose();
  if (status === 'FAILED') throw failure;
  // Keeps what lists of runs need of a long journal.
  readRecord(runDir);
  const { mlflow_run_id, tracking_uri } = uploaded;
  return { run_id: runId, run_dir: runDir, status, chosen, mlflow_run_id, tracking_uri };
}

/**
 * Where the weights come from, as far as validation is concerned: a forked run goes on from its parent as if it had begun with
 * its weights; of one that is taken up it was asked when it began.
 */
function comesFrom(experiment: Experiment, { resume }: RunContext, state: TrainingState | undefined): Experiment {
  if (state === undefined || resume === undefined) return experiment;
  const { init: _, ...asked } = experiment;
  return resume.fork ? { ...asked, init: { from: resume.runId, checkpoint: 'last' } } : asked;
}

/** The folder of a run that is taken up, in which nobody else trains from now on. */
async function takeUp({ runId, runDir }: ResumedRun, wanted: string | undefined): Promise<RunFolder> {
  return { runId, runDir, release: await lockRun(runDir, wanted === undefined ? 1 : UNIT_ATTEMPTS) };
}

/** Puts everything back to where it stood; what the loop needs of it beside the step's arrays. */
function goOn({ weights, step: stood, progress, ...from }: TrainingState, step: TrainStep, terminal: Terminal) {
  try {
    step.writeWeights(weights);
    step.writeState(stood);
  } catch (error) {
    const next = 'Network, optimizer and averages must stay as they are; init.from takes the weights alone.';
    throw new UserError(`${messageOf(error)}\n${next}`, { cause: error });
  }
  terminal.say(`going on from checkpoint ${from.id}: epoch ${progress.epoch + 1}, batch ${progress.batch + 1}`);
  return { progress, from };
}

/** Writes the run's last word and sends what is left; a disk that refuses even that must not hide what went wrong. */
export async function endRun(
  status: RunResult['status'] | 'FAILED',
  { journal, uploader, terminal }: { journal: Journal; uploader: Uploader; terminal: Terminal },
): Promise<UploadResult> {
  try {
    // A run that is to be taken up again has not ended.
    if (status === 'RUNNING') journal.tags({ [REQUEUE_TAG]: 'true' });
    else journal.end(status);
    journal.close();
  } catch (error) {
    if (status !== 'FAILED') throw error;
    terminal.warn(`the journal could not be ended: ${messageOf(error)}`);
  }
  const waits = status === 'FINISHED' || status === 'FAILED';
  return await uploader.finish(waits ? UPLOAD_TIMEOUT_MS : STOPPED_UPLOAD_TIMEOUT_MS);
}
