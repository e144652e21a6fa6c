import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Experiment } from '../config/experiment.ts';
import type { Settings } from '../config/settings.ts';
import { configTable, formatConfig } from '../config/show-config.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { messageOf } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { writingTo } from '../data/disk.ts';
import { loadEngine } from '../engine/load.ts';
import { limitTensorFlow, readHostMemory } from '../engine/memory.ts';
import { readCheckpointIndex } from '../models/checkpoint.ts';
import { predictionsPath } from '../predict/predictor.ts';
import { writeValidationIds } from '../predict/validation-ids.ts';
import { type Journal, openJournal } from '../tracking/journal.ts';
import { resolveTracking } from '../tracking/tracking.ts';
import { startUploader, type Uploader, type UploadResult } from '../tracking/uploader.ts';
import { traceLineage } from './contamination.ts';
import { describeRun, makeRunId } from './describe-run.ts';
import { fit, type Progress, type Training } from './fit.ts';
import { describeInitial, type EarlierRuns, findInitialWeights } from './initial-weights.ts';
import { keepCheckpoints, manifestPath, type SavedCheckpoint, type ValidationMetrics } from './keep-checkpoints.ts';
import { logOverlays } from './log-overlays.ts';
import { openData } from './open-data.ts';
import { explainOutOfMemory, type MemoryNeed } from './out-of-memory.ts';
import { prepareStep } from './prepare-step.ts';
import { trainedFurther, writeTrainedOn } from './trained-on.ts';

/** What surrounds a run: the file that declares it, where the user stands, the machine, and the wish to stop. */
export interface RunContext {
  file: string;
  cwd: string;
  settings: Settings;
  signal: AbortSignal;
  /** Earlier files of the same command: name → run id. */
  earlier: EarlierRuns;
  /** Called with what should be known of the run if its process dies. */
  tell?: (news: RunNews) => void;
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
  status: 'FINISHED' | 'KILLED';
  /** The checkpoint to use, and its figures; undefined where the run was stopped before it was known. */
  chosen: SavedCheckpoint | undefined;
}

/** The rest of the journal may still be waiting for a local server to be installed. */
const UPLOAD_TIMEOUT_MS = 10 * 60_000;
/** Whoever stops a run wants it to end; what is not in MLflow by then is sent by `npm run sync`. */
const KILLED_UPLOAD_TIMEOUT_MS = 5_000;

/**
 * One experiment from its declaration to its chosen checkpoint.
 * Throws UserError before anything is written where data, folds or initial weights are not there, or the step needs more
 * memory than the machine has; an error later ends the run as FAILED. When the signal says stop, the network is saved and
 * the run ends as KILLED.
 */
export async function runExperiment(
  experiment: Experiment,
  context: RunContext,
  terminal: Terminal,
): Promise<RunResult> {
  const { settings, cwd, signal } = context;
  const initial = await findInitialWeights(experiment, { ...settings, cwd, earlier: context.earlier });
  const { device, deterministic } = experiment;
  const { dataset, split } = await openData(experiment, { cwd, signal }, terminal);
  const idsOf = (indices: readonly number[]) => indices.map((index) => dataset.images[index]!.id);
  const lineage = await traceLineage(
    experiment,
    idsOf(split.validation),
    { runsDir: settings.runsDir, earlier: context.earlier },
    terminal,
  );
  const machine = readHostMemory();
  const host = device === 'gpu' ? machine : limitTensorFlow(machine);
  const engine = await loadEngine({ device, deterministic, cacheDir: settings.cacheDir, signal }, terminal);
  const setting = { device: engine.device, host, tell: (need: MemoryNeed) => context.tell?.({ need }) };
  const { step, need } = await prepareStep(experiment, initial, setting, terminal);
  signal.throwIfAborted();

  const { runId, runDir } = await makeRunDir(experiment, settings);
  context.tell?.({ runDir });
  await writeFileAtomic(join(runDir, 'config.yml'), formatConfig(experiment));
  await writeValidationIds(runDir, idsOf(split.validation));
  await writeTrainedOn(runDir, trainedFurther(lineage.before, idsOf(split.train)));
  terminal.say(`run ${runId} on the ${engine.device}:\n${configTable(experiment)}`);
  const journal = await openJournal(runDir);
  journal.run(await describeRun(runId, experiment, context.file, dataset, engine.device));
  journal.tags({ ...lineage.tags, ...(await describeInitial(initial)) });
  journal.artifact('config.yml', 'config.yml');
  const uploader = startUploader({ runDir, tracking: resolveTracking(settings, terminal) }, terminal);

  const progress: Progress = { epoch: 0, update: 0, scores: [], averaging: false };
  let training: Training | undefined;
  let chosen: SavedCheckpoint | undefined;
  let failure: unknown;
  let status: RunResult['status'] | 'FAILED' = 'FAILED';
  try {
    const checkpoints = keepCheckpoints(runDir, step, journal);
    const workers = settings.loaderWorkers;
    training = { experiment, dataset, split, step, checkpoints, journal, terminal, signal, workers };
    chosen = await fit(training, progress);
    await logChosen(runDir, training, chosen);
    status = 'FINISHED';
  } catch (error) {
    const whole = (await readCheckpointIndex(runDir)).last;
    failure = explainOutOfMemory(error, experiment, need, whole === undefined ? undefined : runId);
  }
  try {
    if (signal.aborted && failure === signal.reason) {
      // Averaged weights are no state to go on from: the last epoch's own checkpoint stands.
      if (!progress.averaging) await training?.checkpoints.saveInterrupted(progress);
      status = 'KILLED';
    }
  } catch (error) {
    failure = error;
  }
  const uploaded = await endRun(status, { journal, uploader, terminal });
  dataset.close();
  step.dispose();
  if (status === 'FAILED') throw failure;
  const { mlflow_run_id, tracking_uri } = uploaded;
  return { run_id: runId, run_dir: runDir, status, chosen, mlflow_run_id, tracking_uri };
}

/** Writes the run's last word and sends what is left; a disk that refuses even that must not hide what went wrong. */
export async function endRun(
  status: RunResult['status'] | 'FAILED',
  { journal, uploader, terminal }: { journal: Journal; uploader: Uploader; terminal: Terminal },
): Promise<UploadResult> {
  try {
    journal.end(status);
    journal.close();
  } catch (error) {
    if (status !== 'FAILED') throw error;
    terminal.warn(`the journal could not be ended: ${messageOf(error)}`);
  }
  return await uploader.finish(status === 'KILLED' ? KILLED_UPLOAD_TIMEOUT_MS : UPLOAD_TIMEOUT_MS);
}

/** A new folder under `runs/`; two runs of one name in one second get different ones. */
async function makeRunDir(experiment: Experiment, { runsDir }: Settings): Promise<{ runId: string; runDir: string }> {
  await writingTo(runsDir, () => mkdir(runsDir, { recursive: true }));
  const wanted = makeRunId(experiment.name, new Date());
  for (let attempt = 1; ; attempt++) {
    const runId = attempt === 1 ? wanted : `${wanted}-${attempt}`;
    const runDir = join(runsDir, runId);
    const made = await mkdir(runDir).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
    if (made) return { runId, runDir };
  }
}

/** The last point of every `val/*` series is the chosen checkpoint's; its pictures and manifest go to MLflow. */
async function logChosen(runDir: string, training: Training, chosen: SavedCheckpoint): Promise<void> {
  const { journal, experiment } = training;
  journal.metrics(chosen.metrics satisfies ValidationMetrics, experiment.epochs + 1);
  journal.tags({ 'checkpoint.id': chosen.id, 'checkpoint.sha256': chosen.sha256 });
  journal.artifact(manifestPath(chosen.id), manifestPath(chosen.id));
  const store = predictionsPath(runDir, chosen.id, 'oof', ['none']);
  await logOverlays(runDir, training, chosen, store);
}
