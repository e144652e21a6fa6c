export type { ArtifactSource } from './artifacts.ts';
export type { Batch } from './batch.ts';
export { LIMITS } from './check.ts';
export type { MlflowClient } from './client.ts';
export { createMlflowClient } from './client.ts';
export type { Auth, ConnectionOptions } from './connection.ts';
export { MlflowError } from './error.ts';
export type { Transport } from './http.ts';
export type { NewModelVersion } from './registry.ts';
export type { NewRun, RunChange, RunSearch } from './runs.ts';
export type {
  ArtifactInfo,
  DatasetInput,
  Experiment,
  LifecycleStage,
  Metric,
  ModelVersion,
  Param,
  Run,
  RunInfo,
  RunStatus,
  Tag,
} from './types.ts';
export { RUN_STATUSES } from './types.ts';
