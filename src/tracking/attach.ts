import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MlflowClient, Run } from 'mlflow-js-client';
import { MlflowError } from 'mlflow-js-client';
import { JOURNAL_FILE } from './journal.ts';
import type { JournalEntry } from './journal-entry.ts';
import { readLines } from './journal-file.ts';
import { readPosition, type UploadPosition, writePosition } from './position.ts';
import { whileLocked } from './upload-lock.ts';

/** The tag by which a run is found again when `mlflow.json` is lost or its writing was cut short. */
export const RUN_ID_TAG = 'harness.run_id';

/** The tag with which a run names the one, under the same folder, that it is a child of in MLflow. */
export const PARENT_TAG = 'harness.parent';

/** The MLflow run that belongs to a journal, and how far the journal has got into it. */
export interface Attached {
  run: Run;
  position: UploadPosition;
}

type RunEntry = Extract<JournalEntry, { type: 'run' }>;

/**
 * Finds the MLflow run of the run in `runDir`, or makes it. The position is kept only where it speaks of a run that
 * this server has (a local server's port changes, its database does not); with another server it starts from 0.
 * Undefined while the journal has no `run` line. Throws MlflowError, and Error where the run was deleted in MLflow.
 */
export async function attachRun(client: MlflowClient, runDir: string): Promise<Attached | undefined> {
  const entry = readRunEntry(runDir);
  if (entry === undefined) return undefined;
  const known = readPosition(runDir);
  const kept = known === undefined ? undefined : await getOwnRun(client, known.run_id, entry);
  const run = kept ?? (await findOrCreateRun(client, entry));
  if (kept === undefined) await placeUnderParent(client, runDir, run, entry);
  const position = {
    tracking_uri: client.trackingUri,
    experiment_id: run.info.experiment_id,
    run_id: run.info.run_id,
    offset: kept === undefined ? 0 : known!.offset,
  };
  await writePosition(runDir, position);
  return { run, position };
}

function readRunEntry(runDir: string): RunEntry | undefined {
  const first = readLines(join(runDir, JOURNAL_FILE), 0, 4096)[0]?.entry;
  if (first === undefined || first.type === 'run') return first;
  throw new Error(`Expected ${join(runDir, JOURNAL_FILE)} to begin with a run but it begins with ${first.type}.`);
}

async function getOwnRun(client: MlflowClient, id: string, entry: RunEntry): Promise<Run | undefined> {
  try {
    const run = await client.getRun(id);
    if (!isOwn(run, entry)) return undefined;
    if (run.info.lifecycle_stage === 'active') return run;
    throw new Error(`Run ${entry.run_id} was deleted in MLflow (${id}): restore it there to go on uploading.`);
  } catch (error) {
    if (error instanceof MlflowError && error.code === 'RESOURCE_DOES_NOT_EXIST') return undefined;
    throw error;
  }
}

/** Tells MLflow which run this one belongs to; the parent's own is made where it is not there yet. */
async function placeUnderParent(client: MlflowClient, runDir: string, run: Run, entry: RunEntry): Promise<void> {
  const parent = entry.tags[PARENT_TAG];
  if (parent === undefined) return;
  const parentDir = join(dirname(runDir), parent);
  // A parent whose folder is gone is no reason to keep the child back.
  if (!existsSync(parentDir)) return;
  const known = readPosition(parentDir)?.run_id;
  const parentEntry = readRunEntry(parentDir);
  if (parentEntry === undefined) return;
  const there = known === undefined ? undefined : await getOwnRun(client, known, parentEntry);
  const { run_id: id } = (there ?? (await findOrCreateAlone(client, parentDir, parentEntry))).info;
  await client.setTag(run.info.run_id, 'mlflow.parentRunId', id);
}

/** Only whoever holds the parent's lock may make its run: two that look at once would make two. */
async function findOrCreateAlone(client: MlflowClient, runDir: string, entry: RunEntry): Promise<Run> {
  const run = await whileLocked(runDir, () => findOrCreateRun(client, entry));
  if (run === undefined) throw new Error(`${entry.run_id} is being uploaded by another process and not there yet.`);
  return run;
}

/** The run's start is part of the search: folder names are only unique within one project, servers are shared. */
async function findOrCreateRun(client: MlflowClient, entry: RunEntry): Promise<Run> {
  const { experiment_id: experimentId } = await client.getOrCreateExperiment(entry.experiment);
  const filter = `attributes.start_time = ${entry.time}`;
  const found = (await client.searchRuns({ experimentIds: [experimentId], filter })).find((run) => isOwn(run, entry));
  if (found !== undefined) return found;
  const tags = [{ key: RUN_ID_TAG, value: entry.run_id }];
  return await client.createRun({ experimentId, runName: entry.name, startTime: entry.time, tags });
}

function isOwn(run: Run, entry: RunEntry): boolean {
  return run.data.tags.some(({ key, value }) => key === RUN_ID_TAG && value === entry.run_id);
}
