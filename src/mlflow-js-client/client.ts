import type { ArtifactSource } from './artifacts.ts';
import { downloadArtifact, listArtifacts, uploadArtifact } from './artifacts.ts';
import type { Batch } from './batch.ts';
import type { ConnectionOptions } from './connection.ts';
import { openConnection } from './connection.ts';
import { MlflowError } from './error.ts';
import { createExperiment, getExperimentByName, getOrCreateExperiment } from './experiments.ts';
import type { NewModelVersion } from './registry.ts';
import {
  createModelVersion,
  ensureRegisteredModel,
  getModelVersionByAlias,
  searchModelVersions,
  setModelAlias,
} from './registry.ts';
import type { NewRun, RunChange, RunSearch } from './runs.ts';
import { createRun, getMetricHistory, getRun, logBatch, logInputs, searchRuns, setTag, updateRun } from './runs.ts';
import type { ArtifactInfo, DatasetInput, Experiment, Metric, ModelVersion, Run } from './types.ts';

/** The calls of one MLflow server. All of them throw MlflowError where the server refuses or does not answer. */
export interface MlflowClient {
  /** The server's address, without credentials. */
  readonly trackingUri: string;
  /** Resolves where the server says that it is well. */
  health(): Promise<void>;
  /** The server's MLflow version. */
  version(): Promise<string>;
  /** Looks an experiment up, deleted ones included; undefined where there is none. */
  getExperimentByName(name: string): Promise<Experiment | undefined>;
  /** Creates an experiment and returns its id. */
  createExperiment(name: string): Promise<string>;
  /** The experiment of that name, made if there is none, by however many processes at once. */
  getOrCreateExperiment(name: string): Promise<Experiment>;
  createRun(run: NewRun): Promise<Run>;
  updateRun(runId: string, change: RunChange): Promise<void>;
  getRun(runId: string): Promise<Run>;
  searchRuns(search: RunSearch): Promise<Run[]>;
  /** Logs metrics, tags and params, split to the server's limits and checked before anything is sent. */
  logBatch(runId: string, batch: Batch): Promise<void>;
  setTag(runId: string, key: string, value: string): Promise<void>;
  logInputs(runId: string, datasets: readonly DatasetInput[]): Promise<void>;
  /** Every value of a metric. */
  getMetricHistory(runId: string, key: string): Promise<Metric[]>;
  /** The entries of one folder of a run's artifacts (the root unless told). */
  listArtifacts(runId: string, path?: string): Promise<ArtifactInfo[]>;
  /** Writes one artifact: a file by its path, or bytes. */
  uploadArtifact(runId: string, path: string, source: ArtifactSource): Promise<void>;
  downloadArtifact(runId: string, path: string): Promise<Uint8Array>;
  /** Makes a registered model where there is none of that name, by however many processes at once. */
  ensureRegisteredModel(name: string): Promise<void>;
  /** Creates the next version of a registered model. */
  createModelVersion(version: NewModelVersion): Promise<ModelVersion>;
  /** The versions that fit a filter: `name='x' and run_id='y'`. */
  searchModelVersions(filter: string): Promise<ModelVersion[]>;
  /** The version that an alias means; undefined where there is none. */
  getModelVersionByAlias(name: string, alias: string): Promise<ModelVersion | undefined>;
  /** Lets an alias mean a version, whichever it meant before. */
  setModelAlias(name: string, alias: string, version: string): Promise<void>;
  /** Ends calls in flight and waits between retries, with MlflowError of code `CLOSED`. */
  close(): void;
}

/** A client of the MLflow server at an address; nothing is sent yet. Throws RangeError where it is no http(s) address. */
export function createMlflowClient(options: ConnectionOptions): MlflowClient {
  const connection = openConnection(options);
  const artifactUris = new Map<string, string>();
  const artifactUriOf = async (runId: string) => {
    const uri = artifactUris.get(runId) ?? (await getRun(connection, runId)).info.artifact_uri;
    artifactUris.set(runId, uri);
    return uri;
  };
  const text = async (path: string) => new TextDecoder().decode(await connection.fetch(path)).trim();
  return {
    trackingUri: connection.trackingUri,
    health: async () => {
      const said = await text('/health');
      if (said !== 'OK') throw new MlflowError({ method: 'GET', path: '/health' }, { status: 200, message: said });
    },
    version: () => text('/version'),
    getExperimentByName: (name) => getExperimentByName(connection, name),
    createExperiment: (name) => createExperiment(connection, name),
    getOrCreateExperiment: (name) => getOrCreateExperiment(connection, name),
    createRun: (run) => createRun(connection, run),
    updateRun: (runId, change) => updateRun(connection, runId, change),
    getRun: (runId) => getRun(connection, runId),
    searchRuns: (search) => searchRuns(connection, search),
    logBatch: (runId, batch) => logBatch(connection, runId, batch),
    setTag: (runId, key, value) => setTag(connection, runId, key, value),
    logInputs: (runId, datasets) => logInputs(connection, runId, datasets),
    getMetricHistory: (runId, key) => getMetricHistory(connection, runId, key),
    listArtifacts: (runId, path) => listArtifacts(connection, runId, path),
    uploadArtifact: async (runId, path, source) =>
      await uploadArtifact(connection, await artifactUriOf(runId), path, source),
    downloadArtifact: async (runId, path) => await downloadArtifact(connection, await artifactUriOf(runId), path),
    ensureRegisteredModel: (name) => ensureRegisteredModel(connection, name),
    createModelVersion: (version) => createModelVersion(connection, version),
    searchModelVersions: (filter) => searchModelVersions(connection, filter),
    getModelVersionByAlias: (name, alias) => getModelVersionByAlias(connection, name, alias),
    setModelAlias: (name, alias, version) => setModelAlias(connection, name, alias, version),
    close: () => connection.close(),
  };
}
