/**
 * One line of `journal.jsonl`: everything that a run logs, in the order in which it happened; what MLflow gets is read
 * from here. Times are milliseconds since 1970, stamped when the thing happened, so sending a line twice is harmless.
 */
export type JournalEntry =
  | {
      type: 'run';
      time: number;
      run_id: string;
      name: string;
      /** The MLflow experiment that the run belongs to. */
      experiment: string;
      /** Flattened configuration: dotted keys. */
      params: Record<string, string>;
      tags: Record<string, string>;
    }
  /** Metrics at one step: `train/*` and `lr` by update, `val/*` by epoch from 1. NaN is written as "NaN". */
  | { type: 'metrics'; time: number; step: number; values: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'> }
  | { type: 'tags'; time: number; tags: Record<string, string> }
  /** A file of the run's folder, relative to it, and where it goes among the artifacts. */
  | { type: 'artifact'; time: number; file: string; artifact_path: string }
  /** A PNG of the run's folder shown by MLflow as an image at a step. */
  | { type: 'image'; time: number; file: string; key: string; step: number }
  /** A set of images that the run reads, and what for. */
  | ({ type: 'dataset'; time: number } & DatasetEntry)
  /** The checkpoint that the run comes to, as a version of a registered model. */
  | ({ type: 'model'; time: number } & ModelEntry)
  | { type: 'end'; time: number; status: RunStatus };

export interface DatasetEntry {
  name: string;
  /** At most 36 characters. */
  digest: string;
  context: 'training' | 'validation';
  /** Where it lies, as the experiment has it. */
  source: string;
  /** What is in it: images, positives, … */
  profile: Record<string, number>;
}

export interface ModelEntry {
  name: string;
  /** Among the artifacts: the folder with the checkpoint's manifest. */
  artifact_path: string;
  /** What it is called for: `swa`, `best-dice`. */
  alias: string;
  /** Its figure by which the best version of the model is the champion; more is better. */
  dice: number;
  tags: Record<string, string>;
}

export type RunStatus = 'RUNNING' | 'FINISHED' | 'FAILED' | 'KILLED';
