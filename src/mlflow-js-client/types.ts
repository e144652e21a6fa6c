/** The states of a run; a server ignores any other word without saying so, hence the closed list. */
export const RUN_STATUSES = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export type LifecycleStage = 'active' | 'deleted';

export interface Experiment {
  experiment_id: string;
  name: string;
  artifact_location: string;
  lifecycle_stage: LifecycleStage;
}

/** One value of one metric; NaN is kept, ±Infinity is clamped by the server to ±1.797e308. */
export interface Metric {
  key: string;
  value: number;
  /** Milliseconds since 1970. The same (key, value, timestamp, step) twice is stored once. */
  timestamp: number;
  step: number;
}

export interface Param {
  key: string;
  value: string;
}

export interface Tag {
  key: string;
  value: string;
}

export interface RunInfo {
  run_id: string;
  experiment_id: string;
  run_name: string;
  status: RunStatus;
  start_time: number;
  end_time?: number;
  artifact_uri: string;
  lifecycle_stage: LifecycleStage;
}

/** A run as the server tells it; `metrics` are the last values only (`getMetricHistory` has all). */
export interface Run {
  info: RunInfo;
  data: { metrics: Metric[]; params: Param[]; tags: Tag[] };
}

export interface DatasetInput {
  dataset: {
    name: string;
    /** At most 36 characters. */
    digest: string;
    source_type: string;
    /** JSON text that says where the data is from. */
    source: string;
    schema?: string;
    profile?: string;
  };
  /** `mlflow.data.context` says what the run used it for: `training`, `validation`. */
  tags?: Tag[];
}

/** A version of a registered model. */
export interface ModelVersion {
  name: string;
  /** A whole number as text, from 1. */
  version: string;
  source: string;
  run_id?: string;
  tags: Tag[];
}

export interface ArtifactInfo {
  /** Relative to the run's artifact root. */
  path: string;
  is_dir: boolean;
  /** Bytes; absent for folders. */
  file_size?: number;
}
