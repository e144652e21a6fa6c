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
  | { type: 'end'; time: number; status: RunStatus };

export type RunStatus = 'RUNNING' | 'FINISHED' | 'FAILED' | 'KILLED';
