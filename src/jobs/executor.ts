/** One attempt of a unit, as an engine is handed it. It runs jobCommand(job) in the project's folder. */
export interface Job {
  /** Of this attempt and no other: `<sweep's run id>.<unit>.<attempt>`, of letters, digits and `. _ -`. */
  id: string;
  /** Its file (see attempt.ts), absolute; on Ray and Slurm in a folder that every node sees. */
  file: string;
}

/** `waiting`: the engine has it and has not begun it. `gone`: it has ended, however, or the engine does not know it. */
export type JobState = 'waiting' | 'running' | 'gone';

/**
 * Where jobs run. A handle is the engine's own name of a job, as text that is kept on disk: whoever takes up a sweep finds its
 * jobs by it. How a job ended is not asked of the engine: it says so itself, in a file (see attempt.ts).
 * All methods throw Error where the engine does not answer; nothing has changed then, and asking again is harmless.
 */
export interface Executor {
  /** How many jobs it is given at once: the others wait with the sweep, which may come to do without them. */
  readonly atOnce: number;
  /** Throws UserError where the engine is not there or cannot give what jobs ask of it. */
  check(): Promise<void>;
  /** Hands jobs over, in one go where the engine can; their handles, in order. */
  submit(jobs: readonly Job[]): Promise<string[]>;
  /** What has become of jobs, by handle. */
  status(handles: readonly string[]): Promise<Map<string, JobState>>;
  /** The end of what a job has printed, at most 64 KiB; empty where it has not printed anything. */
  logs(handle: string, job: Job): Promise<string>;
  /** Tells jobs to save and stop (SIGTERM), and takes back those that wait; those that are gone are passed over. */
  cancel(handles: readonly string[]): Promise<void>;
  /** The handles of a sweep's jobs that the engine knows, by job id: what was handed over by a process that died before it noted so. */
  list(sweep: string): Promise<Map<string, string>>;
  /** Resolves when asking for states again may tell something new. */
  wait(signal: AbortSignal): Promise<void>;
}

/** What a job runs, as an argument list; relative to the project's folder. */
export function jobCommand({ file }: Job): string[] {
  return ['node', '--import', 'tsx', 'src/run-unit.ts', file];
}
